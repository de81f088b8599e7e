import { existsSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { LaneRequest } from '../../src/executor/protocol.js';
import '../../src/executor/worker.js';

/**
 * The real worker, but a run whose first number is HANG_VALUE never ends, as inside of a runtime that hangs: the thread is
 * blocked, nothing reaches it. It comes back when the file named by CARPOOL_TEST_HANG_UNTIL exists; without that variable
 * nothing hangs.
 */
const HANG_VALUE = 6666;

const read = (request: LaneRequest): void => {
  const until = process.env['CARPOOL_TEST_HANG_UNTIL'];
  if (until === undefined || request.type !== 'run' || request.batch.kind !== 'tensors') return;
  const first = request.batch.inputs[0]?.data[0];
  if (first !== HANG_VALUE) return;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  while (!existsSync(until)) Atomics.wait(cell, 0, 0, 20);
};

if (parentPort === null) process.on('message', read);
else parentPort.on('message', read);
