import { earliestOfEdge, sortedByLength } from './by-length.js';
import { composeAround, type ComposeRules } from './compose.js';
import { areaOf, costMs, type RunShape } from './cost.js';
import { echoHoldUntil } from './echo-hold.js';
import { groupOf } from './group.js';
import type { Group, Knobs, Plan, QueuedItem, Snapshot } from './types.js';

/** A run may take this part of the SLO: one run may be in the way, and then one's own. */
const SLO_SHARE = 1 / 2;
/**
 * A run of bulk items alone takes this part, so that interactive ones that come meanwhile wait little. While none have come
 * for some seconds it takes what every run may: a first one would still be in time.
 */
const BULK_SLO_SHARE = 1 / 8;
/** Bulk items may make an interactive run so much longer. */
const BULK_INFLATION = 1.25;
/** A bulk item that has waited for so many SLOs is interactive from then on. */
const PROMOTE_AFTER_SLOS = 20;
/**
 * A batch must be predicted to take so much less than its members one by one. A fit sees what a run saves, but not what
 * large runs lose: cold caches, and a core that is not given up in between. Measured on two cores, a small BERT: predicted
 * 1.24, 1.10 and 1.04 times the throughput at 64, 128 and 256 tokens; real 1.16, below 1 and below 1; and at a load of
 * long texts a quarter less capacity with such batches than without any.
 */
const LEAST_SAVING = 0.12;
/** Part of the time that an item had: having waited for less it came, for all that is known, to an idle lane. */
const HARDLY_WAITED = 1 / 8;

/**
 * Composition by cost: which of those waiting should ride together in the one lane that is free.
 *
 *   window by key   [a:9][b:120][c:11][d:10][e:130] …        a = anchor: it always rides
 *   sorted          a:9  d:10  c:11 | b:120  e:130           the split that makes all of it cheapest
 *   group           ── a d c ──                              the anchor's part of the split
 *
 * Work-conserving: with a lane free and something queued it runs something, unless the operator asked to hold
 * (`maxWaitMs`). Joins nothing that costs more together than it saves, or that answers fewer in time.
 */
export const planCost = <T extends QueuedItem>(snapshot: Snapshot<T>, now: number, knobs: Knobs): Plan<T> => {
  const shed: T[] = [];
  const live: T[] = [];
  const urgent: T[] = [];
  const bulk: T[] = [];
  for (const item of snapshot.window) {
    const left = snapshot.waiting - shed.length;
    if (isLate(item, now, snapshot, knobs, left > snapshot.idleLanes)) {
      shed.push(item);
      continue;
    }
    live.push(item);
    (isBulk(item, now, knobs) ? bulk : urgent).push(item);
  }
  const anchor = urgent[0] ?? live[0];
  if (anchor === undefined) return { shed };
  // Before composing: a queue that would be split by cost, or among idle lanes, is held for company all the same.
  if (knobs.maxWaitMs > 0) {
    const waitUntil = holdUntil(live, snapshot, knobs);
    if (now < waitUntil && mayFill(live, snapshot, knobs)) return { shed, wakeAtMs: waitUntil };
  }

  const group =
    urgent.length > 0
      ? addBulk(groupAround(anchor, urgent, snapshot, now, knobs, SLO_SHARE), bulk, snapshot, knobs)
      : groupAround(anchor, bulk, snapshot, now, knobs, snapshot.quiet ? SLO_SHARE : BULK_SLO_SHARE);
  if (!knobs.join || group.items.length + shed.length < snapshot.waiting) return { shed, group };
  if (snapshot.draining) return { shed, group: { ...group, reason: 'drain' } };
  const whole: Group<T> = { ...group, reason: 'lane_free' };
  if (group.rows >= knobs.maxBatch) return { shed, group: whole };
  const wakeAtMs = echoHoldUntil(group, snapshot, now, knobs);
  if (wakeAtMs !== undefined) return { shed, wakeAtMs };
  if (knobs.maxWaitMs > 0) return { shed, group: { ...group, reason: 'max_wait' } };
  if (isHeld(snapshot)) return { shed, group: { ...group, reason: 'echo_hold' } };
  return { shed, group: whole };
};

/** Is there room for company in a batch of all that waits? */
const mayFill = (live: readonly QueuedItem[], snapshot: Snapshot, knobs: Knobs): boolean =>
  knobs.join &&
  !snapshot.draining &&
  snapshot.waitingRows < knobs.maxBatch &&
  live.reduce((tokens, { rows, length }) => tokens + rows * length, 0) < knobs.maxBatchTokens;

/** `maxWaitMs` from the arrival of the oldest; but nobody spends more than half of the time that is to spare on it. */
const holdUntil = (live: readonly QueuedItem[], { cost }: Snapshot, { maxWaitMs }: Knobs): number =>
  live.reduce((until, item) => {
    const { arrivedAt, deadlineAt } = item;
    const spareMs = deadlineAt - arrivedAt - aloneMs(item, cost);
    return Math.min(until, arrivedAt + Math.min(maxWaitMs, spareMs / 2));
  }, Infinity);

/**
 * It can't be answered in time even if it runs now and alone. Before the cost is known only the clock decides.
 *
 * A prediction may be far too high, and only runs correct it: shed on its word alone, nothing would ever run again. So it
 * decides only where others would lose by the run, or where waiting was the cause:
 *
 *   arrival ├─ waited ─┼─ time left ─┤ deadline       predicted: a run longer than the time left
 *           └────── all of it ───────┘
 *   more wait than idle lanes                          shed
 *   else: the run alone is longer than all of it       runs: it has no chance, or the prediction is wrong
 *         has waited for up to 1/8 of it               runs: as it came to an idle lane
 *         has waited for longer                        shed: else one such run would make the next one late, and so on
 */
const isLate = (
  item: QueuedItem,
  now: number,
  { cost }: Snapshot,
  { shedding }: Knobs,
  crowded: boolean,
): boolean => {
  const { arrivedAt, deadlineAt } = item;
  if (now >= deadlineAt) return true;
  if (deadlineAt === Infinity || !cost.trusted || !shedding) return false;
  const runMs = aloneMs(item, cost);
  if (now + runMs < deadlineAt) return false;
  const hadMs = deadlineAt - arrivedAt;
  return crowded || (runMs < hadMs && now - arrivedAt > hadMs * HARDLY_WAITED);
};

const isHeld = ({ echo }: Snapshot): boolean => echo !== undefined && echo.heldMs > 0;

const isBulk = (item: QueuedItem, now: number, { sloMs }: Knobs): boolean =>
  item.bulk && now - item.arrivedAt < PROMOTE_AFTER_SLOS * sloMs;

const aloneMs = ({ rows, length }: QueuedItem, cost: Snapshot['cost']): number =>
  runMsOf({ rows, tokens: rows * length, longest: length }, cost);

const groupAround = <T extends QueuedItem>(
  anchor: T,
  candidates: readonly T[],
  snapshot: Snapshot<T>,
  now: number,
  knobs: Knobs,
  sloShare: number,
): Group<T> => {
  if (!knobs.join) return groupOf([anchor], 'single');
  const anchorAge = now - anchor.arrivedAt;
  // Who came during an echo hold was waited for: to put it off as young would make the hold a waste.
  const wasHeld = isHeld(snapshot);
  const age = ({ arrivedAt }: T): number =>
    wasHeld || anchorAge <= 0 ? 1 : Math.max(0, Math.min(1, (now - arrivedAt) / anchorAge));
  const sorted = sortedByLength(candidates, anchor.compat, age);
  const index = sorted.findIndex(({ item }) => item === anchor);
  const lanes = Math.max(1, snapshot.idleLanes);
  const rules: ComposeRules = {
    cost: snapshot.cost.coefficients,
    basis: snapshot.cost.basis,
    // Idle lanes share what waits; joining it all in one would leave the others without work.
    maxRows: Math.max(1, Math.min(knobs.maxBatch, Math.ceil(snapshot.waitingRows / lanes))),
    maxTokens: knobs.maxBatchTokens,
    capMs: knobs.sloMs * sloShare,
    delayWeight: (1 - snapshot.utilisation) / Math.max(1, snapshot.waiting),
  };
  const within = (capMs: number): Group<T> => {
    const { from, to } = composeAround(sorted, index, { ...rules, capMs });
    const group = groupOf(earliestOfEdge(sorted, from, to), 'cost');
    return isWorthIt(group, snapshot.cost) ? group : groupOf([anchor], 'cost');
  };
  const group = within(rules.capMs);
  const leastSlackMs = group.items.reduce((least, item) => Math.min(least, item.deadlineAt - now), Infinity);
  if (runMsOf(group, snapshot.cost) < leastSlackMs) return group;
  // Somebody would be late by riding along. Under overload that is the oldest ones in every batch, so perhaps all of them.
  const quick = within(Math.min(rules.capMs, leastSlackMs));
  return inTimePerMs(quick, now, snapshot.cost) > inTimePerMs(group, now, snapshot.cost) ? quick : group;
};

/** Answers in time for each millisecond of the lane. */
const inTimePerMs = ({ items, ...sizes }: Group, now: number, cost: Snapshot['cost']): number => {
  const ms = runMsOf(sizes, cost);
  return items.filter(({ deadlineAt }) => now + ms < deadlineAt).length / ms;
};

/** Milliseconds that a run of this shape takes. */
const runMsOf = (shape: RunShape, { basis, coefficients }: Snapshot['cost']): number =>
  costMs(coefficients, areaOf(basis, shape), shape.longest);

/** See LEAST_SAVING. */
const isWorthIt = (group: Group, cost: Snapshot['cost']): boolean => {
  const { items } = group;
  if (items.length === 1) return true;
  const apart = items.reduce((sum, item) => sum + aloneMs(item, cost), 0);
  return runMsOf(group, cost) <= (1 - LEAST_SAVING) * apart;
};

/** Bulk items, in order, that fit into what the interactive ones pay for already. */
const addBulk = <T extends QueuedItem>(
  group: Group<T>,
  bulk: readonly T[],
  { cost }: Snapshot<T>,
  knobs: Knobs,
): Group<T> => {
  const [first] = group.items;
  if (!knobs.join || first === undefined) return group;
  const { longest } = group;
  const area = (rows: number, tokens: number): number => areaOf(cost.basis, { rows, tokens, longest });
  const budgetMs = BULK_INFLATION * costMs(cost.coefficients, area(group.rows, group.tokens), longest);
  const items = [...group.items];
  let { rows, tokens } = group;
  for (const item of bulk) {
    if (item.compat !== first.compat || item.length > longest) continue;
    rows += item.rows;
    tokens += item.rows * item.length;
    const ms = costMs(cost.coefficients, area(rows, tokens), longest);
    if (rows > knobs.maxBatch || rows * longest > knobs.maxBatchTokens || ms > budgetMs) break;
    items.push(item);
  }
  return items.length === group.items.length ? group : groupOf(items, 'cost');
};
