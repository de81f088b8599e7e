import { areaOf, costMs, type CostCoefficients, type RunShape } from '#batcher';
import { LENGTHS } from '../models/calibrate.js';
import { bestGain } from '../models/cost-report.js';
import type { TunedModel } from './measured.js';
import type { TimedShape } from '../models/run-log.js';

/** Equal rows run together, against the same rows one by one. */
export interface Batch {
  readonly rows: number;
  /** Throughput over that of one by one; 1 = batching gains nothing. */
  readonly gain: number;
}

/** What batching is worth for texts of one length. */
export interface LengthGain {
  readonly length: number;
  /** A run of one text, milliseconds; absent where that was not measured. */
  readonly oneMs?: number;
  /** The best batch of those that were measured; absent where one text was not. */
  readonly measured?: Batch;
  /** The best batch by the fitted cost, of any number of rows. */
  readonly predicted: Batch;
}

/** What batching is worth for rows that are all alike. */
export interface RowsGain extends Batch {
  readonly ms: number;
  readonly predicted: number;
}

export interface GainLimits {
  readonly maxBatch: number;
  /** Longest run: half of the SLO. */
  readonly capMs: number;
}

/** For each length from 8 up to the model's. */
export const gainsByLength = (
  { basis, maxTokens }: TunedModel,
  shapes: readonly TimedShape[],
  coefficients: CostCoefficients,
  { maxBatch, capMs }: GainLimits,
): LengthGain[] =>
  LENGTHS.filter((length) => length <= maxTokens).map((length) => {
    const ofLength = shapes.filter(({ longest }) => longest === length);
    const predicted = bestGain({ basis, coefficients }, length, maxBatch, capMs);
    const one = ofLength.find(({ rows }) => rows === 1);
    if (one === undefined) return { length, predicted };
    const measured = ofLength
      .filter(({ rows, p50Ms }) => rows > 1 && rows <= maxBatch && p50Ms <= capMs)
      .map(({ rows, p50Ms }) => ({ rows, gain: (rows * one.p50Ms) / p50Ms }))
      .reduce((best, batch) => (batch.gain > best.gain ? batch : best), { rows: 1, gain: 1 });
    return { length, oneMs: one.p50Ms, measured, predicted };
  });

/** For each number of rows that was measured, up to the limits. */
export const gainsByRows = (
  { basis }: TunedModel,
  shapes: readonly TimedShape[],
  coefficients: CostCoefficients,
  { maxBatch, capMs }: GainLimits,
): RowsGain[] => {
  const ms = (shape: RunShape): number => costMs(coefficients, areaOf(basis, shape), shape.longest);
  const one = shapes.find(({ rows }) => rows === 1);
  if (one === undefined) return [];
  return shapes
    .filter(({ rows, p50Ms }) => rows === 1 || (rows <= maxBatch && p50Ms <= capMs))
    .map((shape) => ({
      rows: shape.rows,
      ms: shape.p50Ms,
      gain: (shape.rows * one.p50Ms) / shape.p50Ms,
      predicted: (shape.rows * ms(one)) / ms(shape),
    }));
};
