import type { MakeRow } from './rows.js';
import type { TrialPlan } from './trials.js';

/** How much is tried, and how long it may take. */
export interface Effort {
  /** Lane time, milliseconds. */
  readonly budgetMs: number;
  readonly thorough: boolean;
}

/** At every load: under forty runs, mostly short ones, of which a large model does as many as the time allows. */
export const AT_LOAD: Effort = { budgetMs: 500, thorough: false };

export interface Limits {
  /** Most rows that may ride together. */
  readonly rows: number;
  /** Most rows times longest, except for pairs. */
  readonly tokens: number;
  /** Longest text; undefined for tensors. */
  readonly longest: number | undefined;
  /** Values of a row's inputs: the answers of large rows are not all kept. */
  readonly values: number;
}

const SIZES: readonly number[] = [2, 4, 8];
const LENGTHS: readonly number[] = [8, 16, 40];
const DISTINCT = 12;
const LARGE_VALUES = 100_000;
const DISTINCT_LARGE = 3;
const SEEDS: readonly number[] = [1, 2, 3];

/** @param rowsOf makes the rows of a seed */
export const planOf = (
  { thorough }: Effort,
  limits: Limits,
  rowsOf: (seed: number) => MakeRow,
): TrialPlan => {
  const { rows, tokens, longest = 1 } = limits;
  return {
    rows: (thorough ? SEEDS : SEEDS.slice(0, 1)).map(rowsOf),
    lengths: limits.longest === undefined ? [1] : thorough ? powersUpTo(longest, 4) : scaled(longest),
    sizes: thorough ? sizesUpTo(rows) : SIZES.filter((size) => size <= rows),
    distinct: limits.values > LARGE_VALUES ? DISTINCT_LARGE : DISTINCT,
    maxTokens: tokens,
    thorough,
  };
};

/** The usual lengths, or the like of them where the model takes less. */
const scaled = (longest: number): number[] => {
  const usual = LENGTHS.at(-1) ?? 1;
  const factor = Math.min(1, longest / usual);
  return [...new Set(LENGTHS.map((length) => Math.max(1, Math.round(length * factor))))];
};

/** Powers of two from `first` on, and `most` itself. */
const powersUpTo = (most: number, first: number): number[] => {
  const powers: number[] = [];
  for (let power = first; power < most; power *= 2) powers.push(power);
  return [...powers, most];
};

/** 2, 3, and on in powers of two to the largest batch. */
const sizesUpTo = (rows: number): number[] =>
  rows < 2 ? [] : [...new Set([2, 3, ...powersUpTo(rows, 4)])].filter((size) => size <= rows);
