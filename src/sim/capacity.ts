import type { Rule } from './rules.js';
import { openKnobs, type Setting } from './setting.js';
import { simulate, type Outcome } from './simulate.js';
import { poissonTrace } from './traces.js';

export interface Effort {
  /** Requests that count, of each seed; a tenth more comes before them, to warm up. */
  readonly requests: number;
  readonly seeds: readonly number[];
  /** How near the answer must be, as a share of it. */
  readonly tolerance: number;
}

/** Plays so far, for the simulator's own speed. */
export interface Tally {
  requests: number;
}

/** Share of requests that may miss the SLO: p99. */
const MAY_MISS = 0.01;
const WARM_UP = 0.1;

/** Plays one seed of a Poisson trace; the gaps and lengths of a seed are the same at every rate. */
export const playPoisson = async (
  rule: Rule,
  setting: Setting,
  ratePerS: number,
  { requests, seed, mayMiss = Infinity }: { requests: number; seed: number; mayMiss?: number },
  tally?: Tally,
): Promise<Outcome> => {
  const from = Math.round(requests * WARM_UP);
  const trace = poissonTrace({ requests: requests + from, lengths: setting.lengths, seed }, ratePerS);
  const outcome = await simulate({
    requests: trace,
    plan: rule.make(),
    knobs: openKnobs(setting),
    lanes: setting.lanes,
    basis: setting.basis,
    cost: setting.cost,
    deadlineMs: Infinity,
    giveUp: { afterMs: setting.sloMs, misses: mayMiss, from },
  });
  if (tally !== undefined) tally.requests += outcome.sent;
  return outcome;
};

/** Whether p99 over all seeds stays within the SLO at this rate. Nothing is shed: there is no deadline and no limit. */
export const holdsSlo = async (
  rule: Rule,
  setting: Setting,
  ratePerS: number,
  { requests, seeds }: Effort,
  tally?: Tally,
): Promise<boolean> => {
  let mayMiss = Math.floor(MAY_MISS * requests * seeds.length);
  for (const seed of seeds) {
    const outcome = await playPoisson(rule, setting, ratePerS, { requests, seed, mayMiss }, tally);
    if (outcome.gaveUp) return false;
    mayMiss -= countMisses(outcome, setting.sloMs, requests);
  }
  return mayMiss >= 0;
};

const countMisses = ({ latencyMs }: Outcome, sloMs: number, requests: number): number => {
  let misses = 0;
  for (let i = latencyMs.length - requests; i < latencyMs.length; i++)
    if (!((latencyMs[i] ?? NaN) <= sloMs)) misses++;
  return misses;
};

/**
 * Capacity at the SLO: the highest Poisson rate, requests a second, at which p99 <= SLO and nothing is shed. By bisection
 * from a guess.
 * @param guess where to look first; any positive rate is right, a near one is quick
 */
export const capacityAtSlo = async (
  rule: Rule,
  setting: Setting,
  effort: Effort,
  guess: number,
  tally?: Tally,
): Promise<number> => {
  const holds = (rate: number): Promise<boolean> => holdsSlo(rule, setting, rate, effort, tally);
  let low = guess;
  let high = guess;
  let factor = 1.05;
  if (await holds(guess)) {
    do {
      low = high;
      high *= factor;
      factor *= factor;
    } while (await holds(high));
  } else {
    do {
      high = low;
      low /= factor;
      factor *= factor;
      // Not even a lone request makes it.
      if (low < guess * 1e-4) return 0;
    } while (!(await holds(low)));
  }
  while (high - low > effort.tolerance * high) {
    const middle = (low + high) / 2;
    if (await holds(middle)) low = middle;
    else high = middle;
  }
  return low;
};

/**
 * The best of several rules and its capacity. A rule that does not hold a little more than the best so far is out after
 * one short play.
 */
export const bestRule = async (
  rules: readonly Rule[],
  setting: Setting,
  effort: Effort,
  guess: number,
  tally?: Tally,
): Promise<{ readonly rule: Rule; readonly capacity: number } | undefined> => {
  let best: { rule: Rule; capacity: number } | undefined;
  for (const rule of rules) {
    const bar = best === undefined ? undefined : best.capacity * (1 + 2 * effort.tolerance);
    if (bar !== undefined && !(await holdsSlo(rule, setting, bar, effort, tally))) continue;
    const capacity = await capacityAtSlo(rule, setting, effort, bar ?? guess, tally);
    if (best === undefined || capacity > best.capacity) best = { rule, capacity };
  }
  return best;
};
