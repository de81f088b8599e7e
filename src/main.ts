#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { runCli } from './cli/run-cli.js';
import { createGateway } from './gateway.js';

/** What is still open after a clean end is given this long to close by itself. */
const GRACE_MS = 1_000;

const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
// Checked: String() takes whatever is there.
const version = String((manifest as { version?: unknown }).version);

const { exitCode, atOnce, isRunning } = await runCli(process.argv.slice(2), {
  version,
  env: process.env,
  cwd: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
  now: () => performance.now(),
  createGateway: (config) => createGateway(config),
});

const leave = (): void => {
  // process.exit() during a native run waits for the run and then aborts the process with a core dump.
  if (isRunning()) process.kill(process.pid, 'SIGKILL');
  else process.exit();
};

process.exitCode = exitCode;
if (atOnce) leave();
else setTimeout(leave, GRACE_MS).unref();
