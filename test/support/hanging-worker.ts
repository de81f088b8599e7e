import { parentPort } from 'node:worker_threads';
import type { LaneRequest } from '../../src/executor/protocol.js';
import '../../src/executor/worker.js';

/**
 * The real worker, but a batch with a row whose first number is HANG_VALUE hangs for as many milliseconds as the second
 * says, as inside of a runtime: the thread is blocked, nothing reaches it. Then it goes on.
 */
const HANG_VALUE = 6666;

const read = (request: LaneRequest): void => {
  if (request.type !== 'run' || request.batch.kind !== 'tensors') return;
  const [input] = request.batch.inputs;
  if (input === undefined) return;
  const width = input.data.length / request.batch.rows;
  for (let row = 0; row < request.batch.rows; row++)
    if (input.data[row * width] === HANG_VALUE)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(input.data[row * width + 1]));
};

if (parentPort === null) process.on('message', read);
else parentPort.on('message', read);
