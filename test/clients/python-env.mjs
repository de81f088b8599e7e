import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const LIMIT_MS = 300_000;

/** What is needed can't be had on this machine; the message says what. */
export class Skip extends Error {}

/** @throws Skip `<what>: <the last line that it printed>` */
export const tryCommand = async (what, command, args, cwd) => {
  try {
    return (await execute(command, args, { cwd, timeout: LIMIT_MS })).stdout;
  } catch (error) {
    const said = `${error.stderr ?? ''}`.trim().split('\n').at(-1);
    throw new Skip(`${what}: ${said === '' || said === undefined ? error.message : said}`);
  }
};

/**
 * A virtual environment in `folder` with `packages` as pip names them; one that is there is brought up to them.
 *
 * @returns the path of its Python
 * @throws Skip without Python 3 or its venv, or where PyPI does not give the packages
 */
export const makePython = async (folder, packages) => {
  const python = join(folder, 'bin', 'python');
  if (!existsSync(python)) {
    await tryCommand('no Python 3', 'python3', ['--version']);
    await mkdir(folder, { recursive: true });
    await tryCommand('no virtual environment', 'python3', ['-m', 'venv', folder]);
  }
  if (packages.length === 0) return python;
  const pip = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--retries',
    '1',
    ...packages,
  ];
  await tryCommand(`${packages.join(' ')} not from PyPI`, python, pip);
  return python;
};
