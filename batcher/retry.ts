import { BatcherError } from './errors.js';
import type { Entry } from './request.js';

/** Runs that an item may lose its lane in, the last of them alone, before it is held to be the cause. */
const MAX_LOSSES = 3;
/** The same while lanes die without it too: then a loss proves nothing, and yet there must be an end. */
const MAX_LOSSES_AMONG_OTHERS = 8;
/** The same for runs that hang: each takes a lane for long. */
const MAX_HANGS = 2;
const MAX_HANGS_AMONG_OTHERS = 4;

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
 *   it had hung    1st time -> each alone      2nd (alone by then) -> guilty;
 *                  while other lanes die too: alone again, and after the 8th loss or the 4th hang WORKER_LOST, for nobody
 *                  knows the cause
 *
 * @param lanesLost lanes that have died so far, this one included; undefined: only those of these items are known
 */
export const nextAttempt = <P, R>(
  live: Entry<P, R>[],
  { code, hung }: { readonly code: string; readonly hung: boolean },
  wasAlone: boolean,
  lanesLost: number | undefined,
): NextAttempt<P, R> => {
  if (live.length === 0) return { groups: [], guilty: [] };
  if (code !== 'WORKER_LOST')
    return wasAlone ? { groups: [], guilty: live } : { groups: live.map((entry) => [entry]), guilty: [] };
  for (const entry of live) {
    if (entry.losses++ === 0) entry.lanesLostBefore = (lanesLost ?? 1) - 1;
    if (hung) entry.hangs++;
  }
  const losses = Math.max(...live.map((entry) => entry.losses));
  const hangs = Math.max(...live.map((entry) => entry.hangs));
  if (losses === 1 && !hung) return { groups: [live], guilty: [] };
  const othersDie =
    lanesLost !== undefined && live.some((entry) => lanesLost - entry.lanesLostBefore > losses);
  const isSpent =
    losses >= (othersDie ? MAX_LOSSES_AMONG_OTHERS : MAX_LOSSES) ||
    hangs >= (othersDie ? MAX_HANGS_AMONG_OTHERS : MAX_HANGS);
  if (!isSpent) return { groups: live.map((entry) => [entry]), guilty: [] };
  const what = `the lane was lost in each of ${losses} runs` + (hangs > 0 ? `, ${hangs} of which hung` : '');
  const lost = othersDie
    ? new BatcherError('WORKER_LOST', `${what}; others were lost meanwhile`)
    : new BatcherError('EXECUTION_FAILED', `${what}, the last one with this input alone`);
  return { groups: [], guilty: live, lost };
};
