import { areaOf, costMs } from './cost.js';
import type { Group, Knobs, QueuedItem, Snapshot } from './types.js';

/** How much more a hold must save than it costs: the forecast is a mean, and the cost is certain. */
const MARGIN = 1.5;

/**
 * A group that is all that waits could run now. Few callers in closed loops, just answered, are about to ask again: is it
 * worth it to wait for them?
 *
 *   run ──▶ answers ── 0.2 ms ──▶ they ask again        without: n ride now, they wait for a whole run
 *           n others wait ▲ lane idle                   with: n wait for h, all ride together
 *
 * Holds n items for h only if
 *
 *   A(h) (alpha - s n / 2) > 1.5 (n + A(h)) h        a rule found by simulation
 *
 * A(h) requests are expected back within h and each saves the fixed cost alpha of a run; s is what one more item of
 * reference length adds to a run, which delays the n; and all are late by h. Only on the last idle lane, with no bulk, and
 * where everybody's deadline and SLO still hold after h and the larger run. The h of the largest surplus counts; it is
 * weighed anew at every arrival and when it is over.
 *
 * @returns until when to hold, later than `now` and at most `echoHoldMs` after the hold began; undefined = run now
 */
export const echoHoldUntil = <T extends QueuedItem>(
  group: Group<T>,
  snapshot: Snapshot<T>,
  now: number,
  knobs: Knobs,
): number | undefined => {
  const { echo, cost, idleLanes } = snapshot;
  if (echo === undefined || idleLanes > 1 || !cost.trusted) return undefined;
  if (group.items.some(({ bulk }) => bulk)) return undefined;

  const { coefficients, basis } = cost;
  const area = areaOf(basis, group);
  const length = Math.max(group.longest, echo.referenceLength);
  const moreArea = areaOf(basis, { rows: 1, tokens: echo.referenceLength, longest: length });
  const runMs = costMs(coefficients, area, group.longest);
  const n = group.items.length;
  const perItemMs = costMs(coefficients, area + moreArea, length) - costMs(coefficients, area, length);
  const room = knobs.maxBatch - group.rows;
  const latestEnd = group.items.reduce(
    (latest, item) => Math.min(latest, item.deadlineAt, item.arrivedAt + knobs.sloMs),
    Infinity,
  );
  const left = knobs.echoHoldMs - echo.heldMs;

  let until: number | undefined;
  let most = 0;
  for (const { withinMs, requests } of echo.returns) {
    const back = Math.min(requests, room);
    const surplus = back * (coefficients.alphaMs - (perItemMs * n) / 2) - MARGIN * (n + back) * withinMs;
    const at = now + withinMs;
    if (surplus <= most || withinMs > left || at <= now) continue;
    if (at + runMs + back * perItemMs > latestEnd) continue;
    most = surplus;
    until = at;
  }
  return until;
};
