import { seededRandom } from './stats.mjs';

/** The part of the requests that only fills the queue. */
const WARM_UP = 0.1;
/** A probe with fewer says nothing about p99. */
const LEAST_REQUESTS = 300;
/** A probe may last so many times what it lasts at the expected capacity; the shortest that tells, so many times. */
const LONGEST = 2.5;
const LONGEST_OF_FEW = 8;

/**
 * Poisson arrivals and the texts they bring. The same seed gives the same gaps, but for a factor, and the same texts at
 * any rate: arms are compared, and simulated, on the same traces.
 *
 * @returns `atMs` and `pick` (an index of the pool) of every request
 */
export const traceOf = ({ requests, ratePerS, seed, poolSize }) => {
  const gaps = seededRandom(seed);
  const picks = seededRandom(seed ^ 0x5bd1e995);
  const atMs = new Float64Array(requests);
  const pick = new Uint32Array(requests);
  let now = 0;
  for (let i = 0; i < requests; i++) {
    now += (-Math.log(1 - gaps()) * 1000) / ratePerS;
    atMs[i] = now;
    pick[i] = Math.floor(picks() * poolSize);
  }
  return { atMs, pick };
};

/**
 * Requests of a probe: as many for every arm, so that all see the same trace, but a slow one is not played for ever.
 *
 * @param most at capacity, about `seconds` of them
 */
export const requestsAt = (ratePerS, { most, seconds }) =>
  Math.max(Math.min(most, LEAST_REQUESTS), Math.min(most, Math.round(ratePerS * seconds * LONGEST)));

/** Below this rate even the fewest requests take too long. */
export const leastRateOf = ({ seconds }) => LEAST_REQUESTS / (seconds * LONGEST_OF_FEW);

export const warmUpOf = (requests) => Math.round(requests * WARM_UP);

/** Misses that p99 <= SLO allows among the requests that count. */
export const mayMiss = (requests) => Math.floor(0.01 * (requests - warmUpOf(requests)));
