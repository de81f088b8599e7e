import { Worker } from 'node:worker_threads';
import { messageOf } from '../errors.js';
import type { OpenLink } from './link.js';
import type { LaneReply, LaneRequest } from './protocol.js';

/** A lane in a worker thread: quickest, but it shares the gateway's fate when the runtime crashes. */
export const openThreadLink =
  (entry: URL): OpenLink =>
  (events) => {
    // Flags of the command line are not inherited: some, such as --input-type, keep a thread from starting.
    const worker = new Worker(entry, { execArgv: [] });
    let failure: string | undefined;
    worker.on('message', (reply: LaneReply) => events.onReply(reply));
    // 'error' is followed by 'exit'.
    worker.on('error', (error) => (failure = messageOf(error)));
    worker.on('exit', (code) => events.onExit(failure ?? `the thread ended with code ${code}`));
    return {
      pid: undefined,
      post: (request, transfer) => worker.postMessage(request, transfer),
      // Read when its run is over. Neither terminated nor unref'd: a thread that ends inside the runtime, by itself or
      // because the process does, aborts the whole process.
      discard: () => worker.postMessage({ type: 'stop', id: 0 } satisfies LaneRequest),
    };
  };
