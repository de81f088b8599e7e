import { BatcherError } from './errors.js';
import type { Entry } from './request.js';

/** Runs that an item may lose its lane in, the last of them alone, before it is held to be the cause. */
const MAX_LOSSES = 3;
/** The same while lanes die without it too: then a loss proves nothing, and yet there must be an end. */
const MAX_LOSSES_AMONG_OTHERS = 8;

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
 *   lane was lost  1st time -> same group      2nd -> each alone      3rd (alone by then) -> guilty;
 *                  while other lanes die too: alone again, and after the 8th WORKER_LOST, for nobody knows the cause
 *
 * @param lanesLost lanes that have died so far, this one included; undefined: only those of these items are known
 */
export const nextAttempt = <P, R>(
  live: Entry<P, R>[],
  code: string,
  wasAlone: boolean,
  lanesLost: number | undefined,
): NextAttempt<P, R> => {
  if (live.length === 0) return { groups: [], guilty: [] };
  if (code !== 'WORKER_LOST')
    return wasAlone ? { groups: [], guilty: live } : { groups: live.map((entry) => [entry]), guilty: [] };
  for (const entry of live) {
    if (entry.losses++ === 0) entry.lanesLostBefore = (lanesLost ?? 1) - 1;
  }
  const losses = Math.max(...live.map((entry) => entry.losses));
  if (losses === 1) return { groups: [live], guilty: [] };
  const othersDie =
    lanesLost !== undefined && live.some((entry) => lanesLost - entry.lanesLostBefore > losses);
  if (losses < (othersDie ? MAX_LOSSES_AMONG_OTHERS : MAX_LOSSES))
    return { groups: live.map((entry) => [entry]), guilty: [] };
  const lost = othersDie
    ? new BatcherError(
        'WORKER_LOST',
        `the lane was lost in each of ${losses} runs; others were lost meanwhile`,
      )
    : new BatcherError(
        'EXECUTION_FAILED',
        `the lane was lost in each of ${losses} runs of this input, the last one alone`,
      );
  return { groups: [], guilty: live, lost };
};
