import { areaOf, costMs, KNEES, type CostBasis, type CostCoefficients, type RunShape } from './cost.js';
import { addSample, emptyEquations, fitNonNegative, type Terms } from './least-squares.js';

export interface CostSample {
  readonly shape: RunShape;
  readonly ms: number;
}

/** Starts of the descent, each from where the last one ended. */
const DESCENTS = 20;
/** A knee must fit so much better than a smaller one: without need there is none. */
const KNEE_GAIN = 0.9;
/** Losses below this (0.1 % squared) are all the same. */
const EXACT = 1e-6;

/**
 * The coefficients that fit a finished measurement best: non-negative least squares of relative errors, for each knee.
 * All samples count alike; nothing is forgotten, unlike in `CostModel`, which follows a stream of runs.
 *
 * @returns also the mean of |fitted - measured| / measured
 * @throws RangeError without a sample
 */
export const fitCost = (
  basis: CostBasis,
  samples: readonly CostSample[],
): { readonly coefficients: CostCoefficients; readonly error: number } => {
  if (samples.length === 0) throw new RangeError('a cost is fitted to at least one run');
  const fits = KNEES.map((knee) => fitAt(knee, basis, samples));
  const best = fits.reduce((a, b) => (b.loss < a.loss * KNEE_GAIN - EXACT ? b : a));
  const { coefficients } = best;
  const errors = samples.map(({ shape, ms }) =>
    Math.abs(costMs(coefficients, areaOf(basis, shape), shape.longest) / ms - 1),
  );
  return { coefficients, error: errors.reduce((sum, each) => sum + each, 0) / errors.length };
};

const fitAt = (
  knee: number,
  basis: CostBasis,
  samples: readonly CostSample[],
): { readonly coefficients: CostCoefficients; readonly loss: number } => {
  const sums = emptyEquations();
  for (const { shape, ms } of samples) {
    const area = areaOf(basis, shape);
    // Rows of fixed shape have no length: the quadratic term would only repeat the linear one.
    const quadratic = basis === 'rows' ? 0 : area * shape.longest;
    addSample(sums, [1, Math.max(0, area - knee), quadratic], ms, 1 / (ms * ms), 1);
  }
  let fit: { terms: Terms; loss: number } = { terms: [0, 0, 0], loss: Infinity };
  for (let i = 0; i < DESCENTS; i++) fit = fitNonNegative(sums, [0, 0, 0], 0, fit.terms);
  const [alphaMs, betaMsPerToken, quadMsPerTokenSquared] = fit.terms;
  return {
    coefficients: { alphaMs, betaMsPerToken, kneeTokens: knee, quadMsPerTokenSquared },
    loss: fit.loss,
  };
};
