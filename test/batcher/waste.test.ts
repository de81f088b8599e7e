import { costMs, unpaddedMs, wasteOf, type CostCoefficients, type Group, type QueuedItem } from '#batcher';
import { describe, expect, it } from '@jest/globals';

const COST: CostCoefficients = {
  alphaMs: 3,
  betaMsPerToken: 0.01,
  kneeTokens: 100,
  quadMsPerTokenSquared: 1e-4,
};

const itemOf = (rows: number, length: number): QueuedItem => ({
  ...{ seq: 0, key: 0, rows, length, compat: '', bulk: false, arrivedAt: 0, deadlineAt: Infinity },
});
/** Two rows of 40 and one of 100: 180 tokens, padded to 300. */
const GROUP: Group = {
  items: [itemOf(2, 40), itemOf(1, 100)],
  rows: 3,
  tokens: 180,
  longest: 100,
  paddedTokens: 300,
  reason: 'cost',
};

describe('lane time without padding', () => {
  it('is the cost of the tokens alone, knee and attention of each row included', () => {
    expect(unpaddedMs(COST, 'padded', GROUP)).toBeCloseTo(3 + 0.01 * 80 + 1e-4 * (2 * 1_600 + 10_000), 9);
  });

  it('is all of it where the hardware pads nothing, and where the group does not', () => {
    expect(unpaddedMs(COST, 'packed', GROUP)).toBe(costMs(COST, 180, 100));
    expect(unpaddedMs(COST, 'rows', GROUP)).toBe(costMs(COST, 3, 100));
    const even = { ...GROUP, items: [itemOf(3, 100)], tokens: 300 };
    expect(unpaddedMs(COST, 'padded', even)).toBeCloseTo(costMs(COST, 300, 100), 9);
  });

  it('wastes nothing under the knee', () => {
    const free = { ...COST, kneeTokens: 600, quadMsPerTokenSquared: 0 };
    expect(wasteOf(unpaddedMs(free, 'padded', GROUP), costMs(free, 300, 100))).toBe(0);
  });

  it('is a share from 0 to below 1, whatever the clock said', () => {
    expect(wasteOf(3, 4)).toBe(0.25);
    expect(wasteOf(3, 2)).toBe(0);
    expect(wasteOf(3, 0)).toBe(0);
    expect(wasteOf(3, 1e9)).toBeLessThan(1);
  });
});
