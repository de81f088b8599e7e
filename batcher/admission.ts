import type { Knobs } from './types.js';

export interface Refusal {
  readonly code: 'QUEUE_FULL' | 'PAYLOAD_TOO_LARGE' | 'DRAINING';
  readonly message: string;
  readonly retryAfterSeconds?: number;
}

/**
 * The door, O(1): all the rows of a request or none. Blind to lengths on purpose: refusing by predicted cost starves
 * the long ones.
 *
 * @param queuedRows rows waiting now
 * @param msPerRow recent lane time of one row, for Retry-After; 0 when nothing has run yet
 * @returns the refusal, or undefined when the request is welcome
 */
export const refuse = (
  rows: number,
  queuedRows: number,
  draining: boolean,
  msPerRow: number,
  knobs: Knobs,
): Refusal | undefined => {
  if (draining) return { code: 'DRAINING', message: 'shutting down: no new work is taken' };
  if (rows > knobs.maxQueue)
    return {
      code: 'PAYLOAD_TOO_LARGE',
      message: `${rows} rows in one request can never fit: the queue holds at most ${knobs.maxQueue}`,
    };
  if (queuedRows + rows > knobs.maxQueue)
    return {
      code: 'QUEUE_FULL',
      message: `${rows} rows do not fit: ${queuedRows} of at most ${knobs.maxQueue} are waiting`,
      retryAfterSeconds: Math.max(1, Math.ceil((queuedRows * msPerRow) / 1000)),
    };
  return undefined;
};
