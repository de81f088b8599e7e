import { leastRateOf, requestsAt } from './trace.mjs';

/** Rates are on a grid: each one is so much above the one below. */
const STEP = 1.03;

/**
 * The highest rate that holds, on the grid; strides that double until it is bracketed, then bisection.
 *
 * @param holds rate -> whether it holds
 * @param startRate where to look first: the last answer is best
 * @param leastRate no lower one is tried
 * @returns 0 where none holds
 */
export const highestRate = async (holds, startRate, leastRate) => {
  const at = (k) => startRate * STEP ** k;
  let [pass, fail] = [undefined, undefined];
  let stride = 2;
  if (await holds(at(0))) {
    pass = 0;
    while (fail === undefined) {
      if (await holds(at(pass + stride))) pass += stride;
      else fail = pass + stride;
      stride *= 2;
    }
  } else {
    fail = 0;
    while (pass === undefined) {
      if (at(fail - stride) < leastRate) return 0;
      if (await holds(at(fail - stride))) pass = fail - stride;
      else fail -= stride;
      stride *= 2;
    }
  }
  while (fail - pass > 1) {
    const middle = (pass + fail) >> 1;
    if (await holds(at(middle))) pass = middle;
    else fail = middle;
  }
  return at(pass);
};

/**
 * Searches the capacity of one arm on one trace.
 *
 * @param trace `{most, seconds, seed, sloMs}`; see `requestsAt`
 * @param log called with a line for every probe
 * @returns `rate`, `probes`, and the probe that held the highest rate
 */
export const measureCapacity = async ({ arm, load, trace, startRate, log }) => {
  const probes = [];
  const { seed, sloMs } = trace;
  const probe = async (ratePerS) => {
    const requests = requestsAt(ratePerS, trace);
    const found = await arm.during(() =>
      load.run({ requests, seed, sloMs, ratePerS, port: arm.port, giveUp: true }),
    );
    probes.push(found);
    const outcome = found.holds ? 'holds' : found.gaveUp ? 'gave up' : JSON.stringify(found.outcomes);
    log(
      `${arm.arm} ${ratePerS.toFixed(1)}/s: ${outcome}, p50 ${found.p50.toFixed(1)}, p99 ${found.p99.toFixed(1)} ms, misses ${found.misses}`,
    );
    await arm.idle();
    return found.holds;
  };
  // Fails what fails twice: a stall of the machine, some ten milliseconds, is enough misses for one probe.
  const holds = async (ratePerS) => (await probe(ratePerS)) || (await probe(ratePerS));
  const rate = await highestRate(holds, startRate, leastRateOf(trace));
  const best = probes.filter(({ holds }) => holds).sort((a, b) => b.ratePerS - a.ratePerS)[0];
  return { rate, best, probes };
};
