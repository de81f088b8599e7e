import { BatcherError } from './errors.js';
import type { Entry } from './request.js';

/** Runs that an item may lose its lane in before it is held to be the cause. */
const MAX_LOSSES = 3;

export interface NextAttempt<P, R> {
  /** Groups to run again, apart from all other items, so that a poisonous input harms nobody new. */
  readonly groups: Entry<P, R>[][];
  /** Items whose request ends in an error now. */
  readonly guilty: readonly Entry<P, R>[];
  /** The error for `guilty` where the run's own would mislead. */
  readonly lost?: BatcherError;
}

/**
 * What to do with the members of a failed batch.
 *
 *   run failed     together -> each alone      alone -> guilty, with the run's own error
 *   lane was lost  1st time -> same group      2nd -> each alone      3rd (alone by then) -> guilty
 */
export const nextAttempt = <P, R>(
  live: Entry<P, R>[],
  code: string,
  wasAlone: boolean,
): NextAttempt<P, R> => {
  if (live.length === 0) return { groups: [], guilty: [] };
  if (code !== 'WORKER_LOST')
    return wasAlone ? { groups: [], guilty: live } : { groups: live.map((entry) => [entry]), guilty: [] };
  for (const entry of live) entry.losses++;
  const losses = Math.max(...live.map((entry) => entry.losses));
  if (losses === 1) return { groups: [live], guilty: [] };
  if (losses < MAX_LOSSES) return { groups: live.map((entry) => [entry]), guilty: [] };
  const lost = new BatcherError(
    'EXECUTION_FAILED',
    `the lane was lost in each of ${MAX_LOSSES} runs of this input, the last one alone`,
  );
  return { groups: [], guilty: live, lost };
};
