import type { MakeRow, ProbeRow } from './rows.js';

/** Rows to run together, in this order; every one of them is compared with itself alone. */
export type Trial = readonly ProbeRow[];

export interface TrialPlan {
  /** One for each seed. */
  readonly rows: readonly MakeRow[];
  /** Ascending. `[1]` for tensors. */
  readonly lengths: readonly number[];
  /** Numbers of rows, ascending. */
  readonly sizes: readonly number[];
  /** Different rows of one length; larger batches repeat them. */
  readonly distinct: number;
  /** Most rows times longest, except for pairs. */
  readonly maxTokens: number;
  /** true: every size at every length; false: pairs at every length, larger ones at the middle one only. */
  readonly thorough: boolean;
}

/**
 * What to try, small and telling ones first, so that a budget can end it anywhere:
 *
 *     equal lengths    a b | b a | a b c d | d c b a …        each row in several places
 *     padded           Long a b | b a Long | …                each row beside longer and shorter ones
 */
export function* trialsOf(plan: TrialPlan): Generator<Trial> {
  const { rows, lengths, sizes } = plan;
  for (const size of sizes)
    for (const make of rows)
      for (const [at, length] of lengths.entries()) {
        if (size > 2 && size * length > plan.maxTokens) continue;
        if (isTried(plan, size, at)) yield* turned(sameLength(plan, make, length, size), plan.thorough);
        // The shortest has nothing to be padded beside.
        if (at > 0 && (plan.thorough || at === lengths.length - 1))
          yield* turned(mixed(plan, make, at, size), plan.thorough);
      }
}

const isTried = ({ lengths, sizes, thorough }: TrialPlan, size: number, at: number): boolean =>
  thorough || size === sizes[0] || at === Math.floor(lengths.length / 2);

/** Each size has rows of its own, as far as they go: more rows are seen. */
const sameLength = ({ distinct }: TrialPlan, make: MakeRow, length: number, size: number): Trial =>
  Array.from({ length: size }, (_, n) => make(length, (size + n) % distinct));

/** One row as long as `lengths[at]`, the rest shorter. */
const mixed = ({ lengths, distinct }: TrialPlan, make: MakeRow, at: number, size: number): Trial =>
  Array.from({ length: size }, (_, n) =>
    make(lengths[n === 0 ? at : (n - 1) % at] ?? 1, Math.floor(n / Math.max(1, at)) % distinct),
  );

/** As it is and backwards; thoroughly, with the first in the middle too. */
function* turned(trial: Trial, thorough: boolean): Generator<Trial> {
  yield trial;
  yield trial.toReversed();
  const middle = trial.length >> 1;
  if (thorough && trial.length > 2) yield [...trial.slice(middle), ...trial.slice(0, middle)];
}
