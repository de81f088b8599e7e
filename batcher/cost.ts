/**
 * What a run costs, in milliseconds:
 *
 *   T(b, L) = alpha + beta * max(0, area - knee) + quad * area * L
 *
 * b rows, L the longest row. `alpha` is paid once a run and is all that batching can save; `beta` is the price of a
 * token beyond the `knee`, up to which the hardware is not full; `quad` is attention. The form alpha + beta * b is that
 * of Nexus (SOSP'19) and Clockwork (OSDI'20), with lengths and a knee added.
 */
export interface CostCoefficients {
  readonly alphaMs: number;
  readonly betaMsPerToken: number;
  readonly kneeTokens: number;
  readonly quadMsPerTokenSquared: number;
}

/** What `area` counts: `rows` for fixed-shape tensors, `padded` rows x longest, `packed` the sum of the lengths. */
export type CostBasis = 'rows' | 'padded' | 'packed';

/** The size of one run. */
export interface RunShape {
  readonly rows: number;
  /** Sum of the lengths of all rows. */
  readonly tokens: number;
  readonly longest: number;
}

export const areaOf = (basis: CostBasis, { rows, tokens, longest }: RunShape): number => {
  if (basis === 'rows') return rows;
  return basis === 'packed' ? tokens : rows * longest;
};

/** The formula above. */
export const costMs = (c: CostCoefficients, area: number, longest: number): number =>
  c.alphaMs + c.betaMsPerToken * Math.max(0, area - c.kneeTokens) + c.quadMsPerTokenSquared * area * longest;

/** Areas up to which a run may cost no more than an empty one: the grid that the knee is picked from. */
export const KNEES: readonly number[] = [0, 8, 32, 128, 256, 512, 1024];
