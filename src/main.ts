#!/usr/bin/env node
import { runCli } from './cli/run-cli.js';
import { createGateway } from './gateway.js';
import { VERSION } from './version.js';

/** What is still open after a clean end is given this long to close by itself. */
const GRACE_MS = 1_000;

// Written to a full disk, or to a reader that has gone: no reason to stop serving.
for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined);

const { exitCode, atOnce, isRunning } = await runCli(process.argv.slice(2), {
  version: VERSION,
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
