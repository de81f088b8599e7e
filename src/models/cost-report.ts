import { areaOf, costMs, type CostFit } from '#batcher';
import { LENGTHS } from './calibrate.js';
import { mostRows, servedClass } from './joining.js';
import type { InvarianceClass } from './model-info.js';
import type { ServedModel } from './served-model.js';

/** The fit in figures and in words, for `GET /v1/models/:m`, the log and the debug page. */
export interface CostReport {
  readonly basis: string;
  readonly alpha_ms: number;
  readonly beta_ms_per_token: number;
  readonly knee_tokens: number;
  readonly quad_ms_per_token_squared: number;
  /** Mean relative error of the last predictions. */
  readonly error: number;
  readonly runs: number;
  /** alpha / (beta x length) at the reference length: batching gains at most 1 + r. */
  readonly r: number | null;
  readonly slo_ms: number;
  readonly advice: string;
}

/** Less than this is nothing. */
const WORTH = 1.05;

export const reportCost = (
  fit: CostFit,
  context: {
    readonly sloMs: number;
    readonly maxBatch: number;
    readonly maxTokens: number;
    /** The only length, where the file fixes it. */
    readonly textLength?: number | undefined;
    readonly referenceLength: number;
    readonly joins: InvarianceClass;
  },
): CostReport => {
  const { alphaMs, betaMsPerToken, kneeTokens, quadMsPerTokenSquared } = fit.coefficients;
  const perRow = betaMsPerToken * (fit.basis === 'rows' ? 1 : context.referenceLength);
  return {
    basis: fit.basis,
    alpha_ms: rounded(alphaMs),
    beta_ms_per_token: rounded(betaMsPerToken),
    knee_tokens: kneeTokens,
    quad_ms_per_token_squared: rounded(quadMsPerTokenSquared),
    error: rounded(fit.error),
    runs: fit.runs,
    r: perRow > 0 ? rounded(alphaMs / perRow) : null,
    slo_ms: rounded(context.sloMs),
    advice: adviceOf(fit, context),
  };
};

const adviceOf = (
  fit: CostFit,
  {
    maxBatch,
    maxTokens,
    textLength,
    sloMs,
    joins,
  }: {
    readonly maxBatch: number;
    readonly maxTokens: number;
    readonly textLength?: number | undefined;
    readonly sloMs: number;
    readonly joins: InvarianceClass;
  },
): string => {
  if (joins === 'one-by-one') return 'rows are not joined';
  if (fit.runs === 0) return 'nothing has been measured yet';
  const usual =
    textLength === undefined ? LENGTHS.filter((length) => length <= Math.max(8, maxTokens)) : [textLength];
  const lengths = fit.basis === 'rows' ? [1] : usual;
  const gains = lengths.map((length) => ({ length, gain: bestGain(fit, length, maxBatch, sloMs / 2).gain }));
  const worth = gains.filter(({ gain }) => gain >= WORTH);
  if (fit.basis === 'rows') {
    const gain = gains[0]?.gain ?? 1;
    return gain < WORTH ? 'batching gains nothing here' : `batching pays up to ${gain.toFixed(1)}×`;
  }
  const last = worth.at(-1);
  if (worth[0] === undefined || last === undefined) return 'batching gains nothing at any length';
  const points = worth.map(({ length, gain }) => `${gain.toFixed(1)}× at ${length} tokens`).join(', ');
  const beyond = gains.find(({ length }) => length > last.length);
  const among = joins === 'equal-lengths' ? ' among texts of equal length' : '';
  return `batching${among} pays up to ${points}${beyond === undefined ? '' : `, nothing from ${beyond.length}`}`;
};

/** The best batch of equal rows within the cap, and its throughput over that of rows alone. */
export const bestGain = (
  { basis, coefficients }: Pick<CostFit, 'basis' | 'coefficients'>,
  length: number,
  maxBatch: number,
  capMs: number,
): { readonly rows: number; readonly gain: number } => {
  const ms = (rows: number): number =>
    costMs(coefficients, areaOf(basis, { rows, tokens: rows * length, longest: length }), length);
  let best = { rows: 1, gain: 1 };
  for (let rows = 2; rows <= maxBatch; rows++) {
    const gain = (rows * ms(1)) / ms(rows);
    if (ms(rows) <= capMs && gain > best.gain) best = { rows, gain };
  }
  return best;
};

const rounded = (value: number): number => Number(value.toPrecision(4));

/** The report of a model that is being served. */
export const costOf = ({ batcher, info }: ServedModel): CostReport => {
  const maxTokens = info.card.text?.maxTokens ?? 512;
  const { sloMs, referenceLength } = batcher;
  return reportCost(batcher.cost, {
    sloMs,
    maxBatch: mostRows(info),
    maxTokens,
    textLength: info.textLength,
    referenceLength,
    joins: servedClass(info),
  });
};
