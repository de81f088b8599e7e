import { areaOf, costMs, fitCost, type CostBasis, type CostCoefficients, type CostSample } from '#batcher';
import { describe, expect, it } from '@jest/globals';
import { seededNumbers } from '../support/seeded-numbers.js';

const truth = (alphaMs: number, beta: number, kneeTokens = 0, quad = 0): CostCoefficients => ({
  alphaMs,
  betaMsPerToken: beta,
  kneeTokens,
  quadMsPerTokenSquared: quad,
});

const samplesOf = (basis: CostBasis, cost: CostCoefficients, noise = 0): CostSample[] => {
  const random = seededNumbers(3);
  const lengths = basis === 'rows' ? [1] : [8, 16, 32, 64, 128, 256];
  return lengths.flatMap((longest) =>
    [1, 2, 4, 8, 16, 32, 64].map((rows) => {
      const shape = { rows, tokens: rows * longest, longest };
      const ms = costMs(cost, areaOf(basis, shape), longest) * (1 + noise * (2 * random() - 1));
      return { shape, ms };
    }),
  );
};

describe('fitCost', () => {
  it.each([
    ['padded', truth(1, 0.06, 0, 3e-5)],
    ['padded', truth(3, 0.004, 0, 2e-6)],
    ['padded', truth(3, 0.004, 512, 2e-6)],
    ['padded', truth(0.1, 0.05)],
    ['padded', truth(2, 0)],
    ['rows', truth(0.03, 0.001)],
  ] as const)('finds what %s runs were made of: %j', (basis, cost) => {
    const { coefficients, error } = fitCost(basis, samplesOf(basis, cost));
    expect(coefficients.kneeTokens).toBe(cost.kneeTokens);
    expect(coefficients.alphaMs).toBeCloseTo(cost.alphaMs, 4);
    expect(coefficients.betaMsPerToken).toBeCloseTo(cost.betaMsPerToken, 6);
    expect(coefficients.quadMsPerTokenSquared).toBeCloseTo(cost.quadMsPerTokenSquared, 8);
    expect(error).toBeLessThan(1e-4);
  });

  it('bears noise, and says how much there was', () => {
    const cost = truth(1, 0.06, 0, 3e-5);
    const { coefficients, error } = fitCost('padded', samplesOf('padded', cost, 0.2));
    expect(error).toBeGreaterThan(0.05);
    expect(error).toBeLessThan(0.15);
    expect(coefficients.alphaMs).toBeGreaterThan(0.8);
    expect(coefficients.alphaMs).toBeLessThan(1.2);
  });

  it('is never negative, and wants a sample', () => {
    const falling = [1, 2, 4].map((rows) => ({ shape: { rows, tokens: rows, longest: 1 }, ms: 9 - rows }));
    const { alphaMs, betaMsPerToken } = fitCost('rows', falling).coefficients;
    expect(betaMsPerToken).toBe(0);
    expect(alphaMs).toBeGreaterThan(5);
    expect(() => fitCost('rows', [])).toThrow('at least one run');
  });
});
