import type { ServerResponse } from 'node:http';

/**
 * Cuts a client off that does not read its answer, which is written or ended already: what is not read lies in our
 * memory. Costs nothing where the system has taken all of it at once, as it does with most.
 *
 * @param timeoutMs for the whole rest
 * @returns what lifts the limit
 */
export const limitSending = (res: ServerResponse, timeoutMs: number, onCut: () => void): (() => void) => {
  if (res.destroyed || res.writableLength === 0) return () => undefined;
  let stop = (): void => undefined;
  if (res.socket === null) {
    // Pipelined, and the answer before it is not out: its time begins when it is its turn.
    const begin = (): void => void setImmediate(() => (stop = limitSending(res, timeoutMs, onCut)));
    res.once('socket', begin);
    stop = () => res.off('socket', begin);
  } else {
    const timer = setTimeout(() => {
      onCut();
      res.destroy();
    }, timeoutMs);
    stop = () => clearTimeout(timer);
    res.once('close', stop);
  }
  return () => stop();
};
