import { fork } from 'node:child_process';
import { messageOf } from '../errors.js';
import type { OpenLink } from './link.js';
import type { LaneReply } from './protocol.js';

/**
 * A lane in a child process: it can be killed, and a crash of the runtime takes nothing else down. Messages are copied
 * (structured clone over a pipe), so large tensors cost more than in a thread.
 */
export const openProcessLink =
  (entry: URL): OpenLink =>
  (events) => {
    const child = fork(entry, {
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child.on('message', (reply) => events.onReply(reply as unknown as LaneReply));
    child.on('error', (error) => {
      // One that could not be started ends here; one that runs ends with 'close' whatever else goes wrong.
      if (child.pid === undefined) events.onExit(`no process could be started: ${messageOf(error)}`);
    });
    // Not 'exit': that may come before the last messages.
    child.on('close', (code, signal) =>
      events.onExit(`process ${child.pid ?? '?'} ended with ${signal ?? `code ${code ?? '?'}`}`),
    );
    return {
      pid: child.pid,
      post: (request) => {
        // A dead child is reported by 'exit'; a message that can no longer be written is no news.
        if (child.connected) child.send(request, () => undefined);
      },
      discard: () => child.kill('SIGKILL'),
    };
  };
