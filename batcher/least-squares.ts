/** Coefficients of the three terms of the cost model: fixed, per token, per token squared. */
export type Terms = readonly [fixed: number, linear: number, quadratic: number];

/** The sums that a weighted least-squares fit of three terms needs; they add up and fade, no sample is kept. */
export interface NormalEquations {
  /** Sum of weight * x_i * x_j. */
  readonly xx: Float64Array;
  /** Sum of weight * x_i * y. */
  readonly xy: Float64Array;
  /** Sum of weight * y * y. */
  yy: number;
  /** Samples, each faded as its sums are. */
  count: number;
}

const N = 3;

export const emptyEquations = (): NormalEquations => ({
  xx: new Float64Array(N * N),
  xy: new Float64Array(N),
  yy: 0,
  count: 0,
});

/** Fades what is there by `memory` (1 = keep all) and adds one sample. */
export const addSample = (
  sums: NormalEquations,
  x: Terms,
  y: number,
  weight: number,
  memory: number,
): void => {
  for (let i = 0; i < N; i++) {
    for (let j = 0; j < N; j++)
      sums.xx[i * N + j] = (sums.xx[i * N + j] ?? 0) * memory + weight * (x[i] ?? 0) * (x[j] ?? 0);
    sums.xy[i] = (sums.xy[i] ?? 0) * memory + weight * (x[i] ?? 0) * y;
  }
  sums.yy = sums.yy * memory + weight * y * y;
  sums.count = sums.count * memory + 1;
};

export interface Fit {
  readonly terms: Terms;
  /** Weighted mean of the squared errors. */
  readonly loss: number;
}

/** Rounds of coordinate descent; three variables from a near start settle in a few dozen. */
const ROUNDS = 60;
/** Below this share of a sample's worth a term counts as never seen. */
const UNSEEN = 1e-12;

/**
 * Non-negative ridge fit: minimises  sum w (y - x c)^2 + pull * mean(w x_k^2) * (c_k - prior_k)^2,  c >= 0, by cyclic
 * coordinate descent (a convex quadratic, so it ends at the one minimum). A term that no sample showed keeps its prior.
 *
 * @param pull strength of the prior, in samples
 * @param start where to begin, the last fit say
 */
export const fitNonNegative = (sums: NormalEquations, prior: Terms, pull: number, start: Terms): Fit => {
  const c = [...start] as [number, number, number];
  const share = sums.count > 0 ? pull / sums.count : 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (let k = 0; k < N; k++) {
      const own = sums.xx[k * N + k] ?? 0;
      const ridge = own * share;
      if (own + ridge < UNSEEN) {
        c[k] = prior[k] ?? 0;
        continue;
      }
      let rest = sums.xy[k] ?? 0;
      for (let j = 0; j < N; j++) if (j !== k) rest -= (sums.xx[k * N + j] ?? 0) * (c[j] ?? 0);
      c[k] = Math.max(0, (rest + ridge * (prior[k] ?? 0)) / (own + ridge));
    }
  }
  return { terms: c, loss: lossOf(sums, c) };
};

const lossOf = (sums: NormalEquations, c: Terms): number => {
  if (sums.count === 0) return 0;
  let loss = sums.yy;
  for (let i = 0; i < N; i++) {
    loss -= 2 * (c[i] ?? 0) * (sums.xy[i] ?? 0);
    for (let j = 0; j < N; j++) loss += (c[i] ?? 0) * (c[j] ?? 0) * (sums.xx[i * N + j] ?? 0);
  }
  return Math.max(0, loss / sums.count);
};
