import { parentPort } from 'node:worker_threads';
import { toWireError } from '../errors.js';
import { createJobs, outputArrays } from './jobs.js';
import type { JobInput, JobName, JobOutput, JobTable } from './jobs.js';
import type { JobMessage, JobReply } from './thread-protocol.js';
import { ownedBuffers } from './transfer.js';

/** Entry of the codec thread: one job after the other. Pure JavaScript, so it may be terminated at any time. */
if (parentPort === null) throw new Error('codec/worker must be started as a worker thread');
const port = parentPort;
const jobs = createJobs();

const runJob = <J extends JobName>(table: JobTable, job: J, input: JobInput<J>): JobOutput<J> =>
  table[job](input);

port.on('message', ({ id, job, input }: JobMessage) => {
  let reply: JobReply;
  let transfer: ArrayBuffer[] = [];
  try {
    const output = runJob(jobs, job, input);
    transfer = ownedBuffers(outputArrays(output));
    reply = { id, ok: output };
  } catch (error) {
    reply = { id, error: toWireError(error) };
  }
  port.postMessage(reply, transfer);
});
