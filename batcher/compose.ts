import { costMs, type CostBasis, type CostCoefficients } from './cost-model.js';

/** What composing needs of an item. */
export interface Composable {
  readonly rows: number;
  readonly length: number;
  /** Time waited over the anchor's, 0 to 1: how far its group's turn has come. */
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
 * Part of the fixed cost that a group other than the anchor's is charged; later arrivals will share the rest. How much
 * that is, the age of its oldest member tells: groups take turns, oldest first, so one whose oldest has waited as long as
 * the anchor runs next, with nearly the members it has now, while one of newcomers will have grown by its turn. Leaving
 * an old item behind therefore costs more than leaving a young one. Tuned by simulation, as is all of this.
 */
const LATER_ALPHA_NEW = 0.12;
const LATER_ALPHA_OLD = 0.8;

/**
 * The group `[from, to)` of items sorted by length that holds the anchor and leaves the cheapest rest: the optimal split
 * of a length-sorted queue into contiguous groups (TurboTransformers, PPoPP'21), solved from both ends so that the one
 * group that runs now is the anchor's.
 *
 *   lengths   8 9 11 12 | 40 44 | 120        prefix f[from] + T(group) + suffix g[to] is least
 *                  ^anchor
 *
 * Only the singleton may break a limit. O(items x longest group).
 */
export const composeAround = (
  sorted: readonly Composable[],
  anchor: number,
  rules: ComposeRules,
): { readonly from: number; readonly to: number } => {
  const n = sorted.length;
  const { cost, basis, maxRows, maxTokens, capMs, delayWeight } = rules;
  const rows = new Float64Array(n + 1);
  const tokens = new Float64Array(n + 1);
  const alone = new Float64Array(n + 1);
  const lengths = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const item = sorted[i] as Composable;
    lengths[i] = item.length;
    rows[i + 1] = at(rows, i) + item.rows;
    tokens[i + 1] = at(tokens, i) + item.rows * item.length;
    const area = basis === 'rows' ? item.rows : item.rows * item.length;
    alone[i + 1] = at(alone, i) + costMs(cost, area, item.length);
  }

  /** Charge of `[i, j)`; Infinity where a limit forbids it. */
  const charge = (i: number, j: number, alphaShare: number): number => {
    const groupRows = at(rows, j) - at(rows, i);
    const longest = at(lengths, j - 1);
    const area =
      basis === 'rows' ? groupRows : basis === 'packed' ? at(tokens, j) - at(tokens, i) : groupRows * longest;
    const ms = costMs(cost, area, longest);
    const members = j - i;
    if (members > 1 && (groupRows > maxRows || groupRows * longest > maxTokens || ms > capMs))
      return Infinity;
    const delay = members * ms - (at(alone, j) - at(alone, i));
    return ms - (1 - alphaShare) * cost.alphaMs + delayWeight * delay;
  };

  const prefix = new Float64Array(anchor + 1);
  for (let j = 1; j <= anchor; j++) {
    let best = Infinity;
    let oldest = 0;
    for (let i = j - 1; i >= 0; i--) {
      oldest = Math.max(oldest, (sorted[i] as Composable).age);
      const ms = charge(i, j, laterAlpha(oldest));
      if (ms === Infinity) break;
      best = Math.min(best, at(prefix, i) + ms);
    }
    prefix[j] = best;
  }
  const suffix = new Float64Array(n + 1);
  for (let i = n - 1; i > anchor; i--) {
    let best = Infinity;
    let oldest = 0;
    for (let j = i + 1; j <= n; j++) {
      oldest = Math.max(oldest, (sorted[j - 1] as Composable).age);
      const ms = charge(i, j, laterAlpha(oldest));
      if (ms === Infinity) break;
      best = Math.min(best, ms + at(suffix, j));
    }
    suffix[i] = best;
  }

  let from = anchor;
  let to = anchor + 1;
  let least = Infinity;
  for (let i = anchor; i >= 0; i--) {
    let fits = false;
    for (let j = anchor + 1; j <= n; j++) {
      const ms = charge(i, j, 1);
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
  return { from, to };
};

const laterAlpha = (oldest: number): number => LATER_ALPHA_NEW + (LATER_ALPHA_OLD - LATER_ALPHA_NEW) * oldest;

/** Indices are in range by construction; this says so to the compiler. */
const at = (array: Float64Array, i: number): number => array[i] as number;
