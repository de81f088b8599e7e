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
  const charge = chargeOf(sorted, rules);
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

  /** Least charge of all items before a step, split among themselves. */
  const prefix: number[] = [0];
  for (let j = 1; j <= anchorCut; j++) {
    let best = Infinity;
    let oldest = 0;
    for (let i = j - 1; i >= 0; i--) {
      oldest = Math.max(oldest, at(age, i));
      const ms = charge(at(cut, i), at(cut, j));
      if (ms === Infinity) break;
      best = Math.min(best, at(prefix, i) + ms - unpaid(oldest));
    }
    prefix.push(best);
  }
  /** Least charge of all items from a step on. */
  const suffix = new Array<number>(steps + 1).fill(0);
  for (let i = steps - 1; i > anchorCut; i--) {
    let best = Infinity;
    let oldest = 0;
    for (let j = i + 1; j <= steps; j++) {
      oldest = Math.max(oldest, at(age, j - 1));
      const ms = charge(at(cut, i), at(cut, j));
      if (ms === Infinity) break;
      best = Math.min(best, ms - unpaid(oldest) + at(suffix, j));
    }
    suffix[i] = best;
  }

  let from = anchorCut;
  let to = anchorCut + 1;
  let least = Infinity;
  for (let i = anchorCut; i >= 0; i--) {
    let fits = false;
    for (let j = anchorCut + 1; j <= steps; j++) {
      const ms = charge(at(cut, i), at(cut, j));
      if (ms === Infinity) break;
      fits = true;
      const total = at(prefix, i) + ms + at(suffix, j);
      if (total < least) {
        least = total;
        from = i;
        to = j;
      }
    }
    if (!fits) break;
  }
  return fill(at(cut, from), at(cut, to), charge, joins);
};

/** A limit may lie within a step: takes along what still fits of the last one's length. */
const fill = (
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

const chargeOf = (
  sorted: readonly Composable[],
  { cost, basis, maxRows, maxTokens, capMs, delayWeight }: ComposeRules,
): Charge => {
  const { alphaMs, betaMsPerToken, kneeTokens, quadMsPerTokenSquared } = cost;
  // Plain arrays: a typed one of this size costs more to make than to use.
  const lengths: number[] = [];
  const rows: number[] = [0];
  const tokens: number[] = [0];
  const alone: number[] = [0];
  let sumRows = 0;
  let sumTokens = 0;
  let sumAlone = 0;
  for (const item of sorted) {
    const area = basis === 'rows' ? item.rows : item.rows * item.length;
    lengths.push(item.length);
    rows.push((sumRows += item.rows));
    tokens.push((sumTokens += item.rows * item.length));
    alone.push((sumAlone += costMs(cost, area, item.length)));
  }
  return (i, j) => {
    const members = j - i;
    const groupRows = at(rows, j) - at(rows, i);
    const longest = at(lengths, j - 1);
    const padded = groupRows * longest;
    const area = basis === 'padded' ? padded : basis === 'rows' ? groupRows : at(tokens, j) - at(tokens, i);
    // costMs, written out: this is the innermost loop of the planner.
    const ms =
      alphaMs +
      betaMsPerToken * (area > kneeTokens ? area - kneeTokens : 0) +
      quadMsPerTokenSquared * area * longest;
    if (members > 1 && (groupRows > maxRows || padded > maxTokens || ms > capMs)) return Infinity;
    return ms + delayWeight * (members * ms - (at(alone, j) - at(alone, i)));
  };
};

/** Indices are in range by construction; this says so to the compiler. */
const at = (array: readonly number[], i: number): number => array[i] as number;
