import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { PROJECT } from './machine.mjs';

const START_LIMIT_MS = 60_000;

/** A port that was free a moment ago. */
export const freePort = async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
};

const accepts = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/** @param what for messages; @param file relative to the project */
const start = async (what, file, args, env) => {
  const port = await freePort();
  const child = spawn(process.execPath, [join(PROJECT, file), ...args], {
    cwd: PROJECT,
    env: { ...process.env, ...env(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaints = '';
  child.stderr.on('data', (chunk) => (complaints = (complaints + chunk).slice(-2_000)));
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  const assertAlive = () => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${what} ended: ${complaints}`);
  };
  return { what, port, pid: child.pid, stop, assertAlive };
};

/** Spawned, perhaps not listening yet. `args`: of `carpool serve`, as `--set`, `batching.maxBatch=1`. */
export const startCarpool = (args = [], what = 'carpool', env = {}) =>
  start(what, 'dist/src/main.js', ['serve', '--set', 'grpc.enabled=false', ...args], (port) => ({
    CARPOOL_PORT: String(port),
    CARPOOL_LOG_LEVEL: 'warn',
    ...env,
  }));

/** The plain Express server of bench/peers. */
export const startPeer = (threads = 1, what = 'express-ort') =>
  start(what, 'bench/peers/express-ort.mjs', [], (port) => ({
    PORT: String(port),
    INTRA_OP_THREADS: String(threads),
  }));

export const listening = async (server) => {
  const until = performance.now() + START_LIMIT_MS;
  while (!(await accepts(server.port))) {
    server.assertAlive();
    if (performance.now() > until)
      throw new Error(`${server.what} does not listen after ${START_LIMIT_MS} ms`);
    await pause(20);
  }
  return server;
};
