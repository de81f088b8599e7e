import { spawn, type ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import type { ConfigInput } from '../../src/config/schema.js';
import { REPO_ROOT } from '../support/start-gateway.js';

export const MAIN = path.join(REPO_ROOT, 'dist/src/main.js');

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A child process and what it has printed so far. */
export interface Child {
  readonly process: ChildProcess;
  readonly exit: Promise<Exit>;
  stdout(): string;
  stderr(): string;
  /** SIGKILL, to all of its group; resolves when it is gone. */
  end(): Promise<unknown>;
}

export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** It starts others, npm say: they are ended with it. */
  readonly isGroup?: boolean;
}

/** The environment without what npm and a user's own settings put there: under npm a doubled signal counts once. */
const cleanEnv = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|CARPOOL_|INIT_CWD)/.test(name)));

export const startChild = (
  command: string,
  args: readonly string[],
  { env = {}, isGroup = false }: ChildOptions = {},
): Child => {
  const child = spawn(command, args, {
    cwd: REPO_ROOT,
    detached: isGroup,
    env: { ...cleanEnv(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const exit = new Promise<Exit>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  const end = (): Promise<unknown> => {
    if (isGroup && child.pid !== undefined) killGroup(child.pid);
    else child.kill('SIGKILL');
    return exit;
  };
  return { process: child, exit, stdout: () => out, stderr: () => err, end };
};

const killGroup = (pid: number): void => {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it is gone already.
  }
};

/** Waits for it. @throws with all that was printed, when the child ends before. @returns the pattern's first group */
export const printed = async (child: Child, pattern: RegExp): Promise<string> => {
  const all = (): string => child.stdout() + child.stderr();
  const seen = new Promise<void>((resolve) => {
    const look = (): void => {
      if (pattern.test(all())) resolve();
    };
    child.process.stdout?.on('data', look);
    child.process.stderr?.on('data', look);
    look();
  });
  await Promise.race([seen, child.exit]);
  const match = pattern.exec(all());
  if (match === null) throw new Error(`${String(pattern)} was not printed before the end:\n${all()}`);
  return match[1] ?? match[0];
};

export interface Served extends Child {
  readonly url: string;
}

/** `carpool serve` on any free port, with a config file in `folder`. */
export const serveChild = async (folder: string, config: ConfigInput): Promise<Served> => {
  const file = path.join(folder, 'config.yaml');
  await writeFile(file, stringify(config));
  const child = startChild(process.execPath, [MAIN, 'serve', '--config', file], {
    env: { CARPOOL_PORT: '0', CARPOOL_LOG_LEVEL: 'info' },
  });
  const url = await printed(child, /listens on (http:\S+)/);
  return { ...child, url };
};
