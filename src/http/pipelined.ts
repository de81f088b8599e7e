import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const WAITING = Symbol('carpool.pipelined');

type Tagged = Socket & { [WAITING]?: Set<ServerResponse> };

/**
 * Node tells a response that its connection has closed only where it is the first of the connection: one that waits behind
 * another (HTTP pipelining) would never end, and what hangs on it never be freed. This one is told, too.
 */
export const closeWithConnection = (res: ServerResponse): void => {
  if (res.socket !== null) return;
  const socket: Tagged = res.req.socket;
  const waiting = socket[WAITING] ?? watch(socket);
  waiting.add(res);
  res.once('close', () => waiting.delete(res));
};

/** One listener for all of them: there may be hundreds. */
const watch = (socket: Tagged): Set<ServerResponse> => {
  const waiting = new Set<ServerResponse>();
  socket[WAITING] = waiting;
  socket.once('close', () => {
    for (const res of waiting) {
      // Meanwhile the first.
      if (res.socket !== null) continue;
      res.destroy();
      res.emit('close');
    }
  });
  return waiting;
};
