import { parentPort } from 'node:worker_threads';
import type { LaneRequest } from '../../src/executor/protocol.js';
import '../../src/executor/worker.js';

/**
 * The real worker, but some keys are deadly: it dies the moment it reads them, before the real one answers. Not inside
 * the runtime: a thread that dies there takes the process with it, which no test could tell.
 */
const read = (request: LaneRequest): void => {
  if (!('key' in request)) return;
  if (request.key === 'exit!') process.exit(7);
  if (request.key === 'throw!') throw new Error('thrown on purpose');
};

if (parentPort === null) process.on('message', read);
else parentPort.on('message', read);
