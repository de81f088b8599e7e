import { Worker } from 'node:worker_threads';
import { messageOf } from '../errors.js';
import type { OpenLink } from './link.js';
import type { LaneReply } from './protocol.js';

/** A lane in a worker thread: quickest, but it shares the gateway's fate when the runtime crashes. */
export const openThreadLink =
  (entry: URL): OpenLink =>
  (events) => {
    const worker = new Worker(entry, { stdout: false, stderr: false });
    let failure: string | undefined;
    worker.on('message', (reply: LaneReply) => events.onReply(reply));
    // 'error' is followed by 'exit'.
    worker.on('error', (error) => (failure = messageOf(error)));
    worker.on('exit', (code) => events.onExit(failure ?? `the thread ended with code ${code}`));
    return {
      pid: undefined,
      post: (request, transfer) => worker.postMessage(request, transfer),
      discard: () => {
        worker.removeAllListeners();
        worker.on('error', () => undefined);
        worker.unref();
        // Once its run is over the thread reads this and ends; until then it must not hold the process.
        worker.postMessage({ type: 'stop', id: -1 });
      },
    };
  };
