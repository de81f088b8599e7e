import type { RefusalReason } from './types.js';

/** What the door sees: never the length of who asks, since refusing by predicted cost starves the long ones. */
export interface DoorView {
  readonly rows: number;
  readonly queuedRows: number;
  readonly maxQueue: number;
  readonly draining: boolean;
  /** Predicted time until what is queued has run. */
  readonly drainMs: number;
  /** Predicted run of a reference item (95th percentile of lengths) behind it. */
  readonly referenceMs: number;
  /** Time that the request has; Infinity = any. */
  readonly slackMs: number;
}

export interface Refusal {
  readonly code: 'QUEUE_FULL' | 'PAYLOAD_TOO_LARGE' | 'DRAINING';
  readonly reason: RefusalReason;
  readonly message: string;
  readonly retryAfterSeconds?: number;
}

/** Whole seconds until what is queued has run, at least 1. */
export const retryAfterOf = (drainMs: number): number => Math.max(1, Math.ceil(drainMs / 1000));

/**
 * The door, O(1): all the rows of a request or none.
 * @returns the refusal, or undefined when the request is welcome
 */
export const refuse = (view: DoorView): Refusal | undefined => {
  const { rows, queuedRows, maxQueue, drainMs, referenceMs, slackMs } = view;
  if (view.draining)
    return { code: 'DRAINING', reason: 'draining', message: 'shutting down: no new work is taken' };
  if (rows > maxQueue)
    return {
      code: 'PAYLOAD_TOO_LARGE',
      reason: 'too_large',
      message: `${rows} rows in one request can never fit: the queue holds at most ${maxQueue}`,
    };
  const retryAfterSeconds = retryAfterOf(drainMs);
  if (queuedRows + rows > maxQueue)
    return {
      code: 'QUEUE_FULL',
      reason: 'full',
      message: `${rows} rows do not fit: ${queuedRows} of at most ${maxQueue} are waiting`,
      retryAfterSeconds,
    };
  // With nothing queued it runs at once; whether that is soon enough, its own deadline will tell.
  if (queuedRows > 0 && drainMs + referenceMs > slackMs)
    return {
      code: 'QUEUE_FULL',
      reason: 'late',
      message: `an answer is expected in ${Math.round(drainMs + referenceMs)} ms, later than the ${Math.round(slackMs)} ms that the request has`,
      retryAfterSeconds,
    };
  return undefined;
};
