import { areaOf, costMs, type CostBasis, type CostCoefficients } from './cost.js';
import type { Group } from './types.js';

/**
 * Lane time that a batch would take if padding cost nothing, milliseconds: the fitted cost of the tokens alone, knee and
 * attention included,
 *
 *   alpha + beta * max(0, sum of rows x length - knee) + quad * sum of rows x length^2
 *
 * Where the hardware pays for no padding (`rows`, `packed`) that is the cost of the batch itself.
 */
export const unpaddedMs = (c: CostCoefficients, basis: CostBasis, group: Group): number => {
  if (basis !== 'padded') return costMs(c, areaOf(basis, group), group.longest);
  const squares = group.items.reduce((sum, { rows, length }) => sum + rows * length * length, 0);
  return costMs({ ...c, quadMsPerTokenSquared: 0 }, group.tokens, 0) + c.quadMsPerTokenSquared * squares;
};

/** Share of lane time that padding took, 0 to 1: 1 - unpadded / real; 0 where a run was quicker than foretold. */
export const wasteOf = (unpadded: number, laneMs: number): number =>
  laneMs > 0 ? Math.max(0, 1 - unpadded / laneMs) : 0;
