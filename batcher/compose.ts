import { costMs, type CostBasis, type CostCoefficients } from './cost.js';

/** What composing needs of an item. */
export interface Composable {
  readonly rows: number;
  readonly length: number;
  /** Time waited over the anchor's, 0 to 1: how near its group's turn is. */
  readonly age: number;
}

export interface ComposeRules {
  readonly cost: CostCoefficients;
  readonly basis: CostBasis;
  readonly maxRows: number;
  /** rows x longest. */
  readonly maxTokens: number;
  /** Longest run. */
  readonly capMs: number;
  /**
   * What a millisecond of delay of one member weighs against a millisecond of lane time: 1 / (those who wait). A merge
   * saves its saving to everybody behind it and costs its members the longer run; with this weight the sum of all
   * waiting times decides.
   */
  readonly delayWeight: number;
}

/**
 * Part of the fixed cost that a group other than the anchor's is charged; later arrivals will share the rest. The age of
 * its oldest member tells how much: groups take turns, the one with the oldest item first, so a group whose oldest has
 * waited as long as the anchor runs next, with about the members it has now, and one of newcomers will have grown by its
 * turn. So the split puts off what is young and takes along what is old. Simulated, it is worth 2 to 3 points
 * of the offline capacity (46 to 48 %) over one part for all groups.
 */
const LATER_ALPHA_YOUNG = 0.12;
const LATER_ALPHA_OLD = 0.8;

/** Most items of equal length that the split moves as one. */
const STEP = 4;

/**
 * The group `[from, to)` of items sorted by length that holds the anchor and leaves the cheapest rest: the optimal split
 * of a length-sorted queue into contiguous groups (TurboTransformers, PPoPP'21), solved from both ends so that the one
 * group that runs now is the anchor's.
 *
 *   lengths   8 9 11 12 | 40 44 | 120        prefix[from] + T(group) + suffix[to] is least
 *                  ^anchor
 *
 * Only the singleton may break a limit. The split is looked for between steps: up to 4 neighbours of equal length that
 * are cheaper together than apart. O(steps x steps of the longest group).
 */
export const composeAround = (
  sorted: readonly Composable[],
  anchor: number,
  rules: ComposeRules,
): { readonly from: number; readonly to: number } => {
  const { alphaMs } = rules.cost;
  const items = sumsOf(sorted, rules);
  const charges = new Float64Array(sorted.length + 1);
  const charge = chargeOf(items, rules, charges);
  /** What a later group is let off. */
  const unpaid = (oldest: number): number =>
    (1 - LATER_ALPHA_YOUNG - (LATER_ALPHA_OLD - LATER_ALPHA_YOUNG) * oldest) * alphaMs;
  /** Equal lengths: the next item is worth taking along wherever these go. */
  const joins = (i: number, j: number): boolean =>
    sorted[j]?.length === sorted[i]?.length &&
    charge(i, j + 1) <= charge(i, j) + charge(j, j + 1) - unpaid(0);

  /** Where each step begins, and at last n. A step of several keeps the limits. */
  const cut: number[] = [0];
  const age: number[] = [];
  let anchorCut = 0;
  for (let i = 0, j = 0; i < sorted.length; i = j) {
    let oldest = 0;
    do oldest = Math.max(oldest, sorted[j++]?.age ?? 0);
    while (j < sorted.length && j - i < STEP && j !== anchor && joins(i, j));
    if (i <= anchor) anchorCut = age.length;
    age.push(oldest);
    cut.push(j);
  }
  const steps = age.length;
  const fillCharges = fillOf(sumsAt(items, cut), rules);

  /** Least charge of all items from a step on, split among themselves. */
  const suffix = new Float64Array(steps + 1);
  for (let i = steps - 1; i > anchorCut; i--) {
    const end = fillCharges(i, i + 1, steps + 1, charges);
    let best = Infinity;
    let oldest = 0;
    for (let j = i + 1; j < end; j++) {
      oldest = Math.max(oldest, age[j - 1] ?? 0);
      best = Math.min(best, (charges[j] ?? 0) - unpaid(oldest) + (suffix[j] ?? 0));
    }
    suffix[i] = best;
  }

  /** Least charge of all items before a step; complete for a step when all before it have been looked at. */
  const prefix = new Float64Array(anchorCut + 1).fill(Infinity);
  prefix[0] = 0;
  let from = anchorCut;
  let to = anchorCut + 1;
  let least = Infinity;
  for (let i = 0; i <= anchorCut; i++) {
    const end = fillCharges(i, i + 1, steps + 1, charges);
    const before = prefix[i] ?? 0;
    let oldest = 0;
    let j = i + 1;
    for (; j < end && j <= anchorCut; j++) {
      oldest = Math.max(oldest, age[j - 1] ?? 0);
      prefix[j] = Math.min(prefix[j] ?? 0, before + (charges[j] ?? 0) - unpaid(oldest));
    }
    for (; j < end; j++) {
      const total = before + (charges[j] ?? 0) + (suffix[j] ?? 0);
      if (total > least || (total === least && i === from)) continue;
      least = total;
      from = i;
      to = j;
    }
  }
  return extend(cut[from] ?? 0, cut[to] ?? 0, charge, joins);
};

/** A limit may lie within a step: takes along what still fits of the last one's length. */
const extend = (
  from: number,
  to: number,
  charge: Charge,
  joins: (i: number, j: number) => boolean,
): { readonly from: number; readonly to: number } => {
  let end = to;
  while (charge(from, end) < Infinity && joins(end - 1, end) && charge(from, end + 1) < Infinity) end++;
  return { from, to: end };
};

/** What a group `[i, j)` is charged: its run and the delay of its members; Infinity where a limit forbids it. */
type Charge = (i: number, j: number) => number;

/**
 * Of all items before a place in the order: how many, their rows, tokens, and milliseconds alone; the longest of them.
 * Five numbers a place, side by side, all of them doubles: the innermost loop then reads memory of one kind in one piece.
 */
type Sums = Float64Array;

const WIDTH = 5;
const [MEMBERS, ROWS, TOKENS, ALONE, LONGEST] = [0, 1, 2, 3, 4] as const;

const sumsOf = (sorted: readonly Composable[], { cost, basis }: ComposeRules): Sums => {
  const sums = new Float64Array((sorted.length + 1) * WIDTH);
  let [rows, tokens, alone, place] = [0, 0, 0, 0];
  for (const item of sorted) {
    const itemTokens = item.rows * item.length;
    rows += item.rows;
    tokens += itemTokens;
    alone += costMs(cost, basis === 'rows' ? item.rows : itemTokens, item.length);
    place += WIDTH;
    sums[place + MEMBERS] = place / WIDTH;
    sums[place + ROWS] = rows;
    sums[place + TOKENS] = tokens;
    sums[place + ALONE] = alone;
    sums[place + LONGEST] = item.length;
  }
  return sums;
};

/** Those of some places only. */
const sumsAt = (sums: Sums, places: readonly number[]): Sums => {
  const picked = new Float64Array(places.length * WIDTH);
  let to = 0;
  for (const place of places) for (let k = 0; k < WIDTH; k++) picked[to++] = sums[place * WIDTH + k] ?? 0;
  return picked;
};

/** The charges of the groups `[i, start)`, `[i, start + 1)`, … before `limit`, into `charges`; returns the first that a limit forbids. */
type FillCharges = (i: number, start: number, limit: number, charges: Float64Array) => number;

const fillOf = (
  sums: Sums,
  { cost, basis, maxRows, maxTokens, capMs, delayWeight }: ComposeRules,
): FillCharges => {
  const { alphaMs, betaMsPerToken, kneeTokens, quadMsPerTokenSquared } = cost;
  return (i, start, limit, charges) => {
    const from = i * WIDTH;
    const membersBefore = sums[from + MEMBERS] ?? 0;
    const rowsBefore = sums[from + ROWS] ?? 0;
    const tokensBefore = sums[from + TOKENS] ?? 0;
    const aloneBefore = sums[from + ALONE] ?? 0;
    for (let j = start, to = start * WIDTH; j < limit; j++, to += WIDTH) {
      const members = (sums[to + MEMBERS] ?? 0) - membersBefore;
      const rows = (sums[to + ROWS] ?? 0) - rowsBefore;
      const longest = sums[to + LONGEST] ?? 0;
      const padded = rows * longest;
      const area =
        basis === 'padded' ? padded : basis === 'rows' ? rows : (sums[to + TOKENS] ?? 0) - tokensBefore;
      // costMs, written out: this is the innermost loop of the planner.
      const ms =
        alphaMs +
        betaMsPerToken * (area > kneeTokens ? area - kneeTokens : 0) +
        quadMsPerTokenSquared * area * longest;
      if (members > 1 && (rows > maxRows || padded > maxTokens || ms > capMs)) return j;
      charges[j] = ms + delayWeight * (members * ms - ((sums[to + ALONE] ?? 0) - aloneBefore));
    }
    return limit;
  };
};

/** @param charges to write into, of a number for every place */
const chargeOf = (sums: Sums, rules: ComposeRules, charges: Float64Array): Charge => {
  const fill = fillOf(sums, rules);
  return (i, j) => (fill(i, j, j + 1, charges) > j ? (charges[j] ?? 0) : Infinity);
};
