import { costMs, type BatcherKnobs, type CostBasis, type CostCoefficients } from '#batcher';
import type { LengthLaw } from './lengths.js';
import { seededRandom } from './random.js';

/** What a rule is put to the test in: a machine, a model, and the lengths of its texts. */
export interface Setting {
  readonly cost: CostCoefficients;
  readonly basis: CostBasis;
  readonly lanes: number;
  readonly sloMs: number;
  readonly lengths: LengthLaw;
  readonly maxBatch: number;
  /** Default: no limit. */
  readonly maxBatchTokens?: number;
}

/** Cost regimes of the suite. Milliseconds and tokens. */
export const REGIMES = {
  gpu: { cost: coefficients(3, 0.004, 0, 2e-6), sloMs: 50 },
  knee: { cost: coefficients(3, 0.004, 600, 2e-6), sloMs: 50 },
  cpu: { cost: coefficients(1, 0.06, 0, 3e-5), sloMs: 150 },
} as const;

export type Regime = keyof typeof REGIMES;

export function coefficients(
  alphaMs: number,
  betaMsPerToken: number,
  kneeTokens: number,
  quadMsPerTokenSquared: number,
): CostCoefficients {
  return { alphaMs, betaMsPerToken, kneeTokens, quadMsPerTokenSquared };
}

/** The batcher's knobs where only composition is to limit: a queue without end, no wait. */
export const openKnobs = ({ maxBatch, maxBatchTokens = Infinity, sloMs }: Setting): BatcherKnobs => ({
  maxBatch,
  sloMs,
  maxWaitMs: 0,
  echoHoldMs: 0,
  maxBatchTokens,
  maxQueue: Infinity,
  join: true,
  shedding: true,
});

/** `r`: the fixed cost of a run over what the mean length costs beyond it; batching gains 1 + r at most. */
export const batchingRatio = ({ cost, lengths }: Setting): number => {
  const random = seededRandom(1);
  const draws = 20_000;
  let mean = 0;
  for (let i = 0; i < draws; i++) mean += lengths.draw(random) / draws;
  return cost.alphaMs / (costMs({ ...cost, kneeTokens: 0 }, mean, mean) - cost.alphaMs);
};
