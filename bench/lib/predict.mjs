import { NO_BATCHING, OURS, ruleNamed } from '../../dist/src/sim/rules.js';
import { coefficients, openKnobs } from '../../dist/src/sim/setting.js';
import { simulate } from '../../dist/src/sim/simulate.js';
import { seenLengths } from '../../dist/src/sim/lengths.js';
import { holdsSlo } from '../../dist/src/sim/capacity.js';
import { mayMiss, requestsAt, traceOf, warmUpOf } from './trace.mjs';

const MAX_BATCH = 64;
const LONG_RUN = { requests: 20_000, seeds: [201, 202] };
const TOLERANCE = 0.01;

/** The simulator's rule for an arm of the bench. */
const RULES = { cost: OURS, off: NO_BATCHING, fifo: ruleNamed(`fifo:${MAX_BATCH}`) };

/** Coefficients as `GET /v1/models/:name` has them under `cost`. */
export const costOfCard = (cost) =>
  coefficients(cost.alpha_ms, cost.beta_ms_per_token, cost.knee_tokens, cost.quad_ms_per_token_squared);

/** Of the event loop's work for a request, what comes before the queue: about half, by a profile. */
const PARSE_SHARE = 0.5;

/** The simulator's machine, where HTTP and the load generator share the lanes' cores. */
const machineOf = ({ cores, loopMs, otherMs, loadMs }) => ({
  cores,
  parseMs: (loopMs + otherMs) * PARSE_SHARE,
  answerMs: (loopMs + otherMs) * (1 - PARSE_SHARE),
  sendMs: loadMs,
});

const highest = async (holds, guess) => {
  let [low, high, factor] = [guess, guess, 1.05];
  if (await holds(guess)) {
    do [low, high, factor] = [high, high * factor, factor * factor];
    while (await holds(high));
  } else {
    do {
      [high, low, factor] = [low, low / factor, factor * factor];
      if (low < guess * 1e-3) return 0;
    } while (!(await holds(low)));
  }
  while (high - low > TOLERANCE * high) {
    const middle = (low + high) / 2;
    if (await holds(middle)) low = middle;
    else high = middle;
  }
  return low;
};

/**
 * Capacity at the SLO as the simulator has it: the plan that serves, on a virtual clock.
 *
 * @param situation `{arm, cost, lanes, sloMs, tokens}`, `tokens` the lengths of the pool's texts
 * @param work what a request takes of the same cores beside its run: `{cores, loopMs, otherMs, loadMs}`; absent: nothing
 * @param trace `{most, seconds, seed}`: on the very trace of a probe; absent: on long ones, in steady state
 */
export const predictCapacity = ({ arm, cost, lanes, sloMs, tokens }, work, guess, trace) => {
  const rule = RULES[arm];
  const lengths = seenLengths(tokens);
  const holds = (ratePerS) => {
    const setting = {
      cost,
      basis: 'padded',
      lanes,
      sloMs,
      lengths,
      maxBatch: MAX_BATCH,
    };
    return trace === undefined
      ? holdsSlo(rule, setting, ratePerS, LONG_RUN)
      : holdsTrace(rule, setting, tokens, work && machineOf(work), { ...trace, ratePerS });
  };
  return highest(holds, guess);
};

const holdsTrace = async (rule, setting, tokens, machine, { ratePerS, seed, ...limits }) => {
  const requests = requestsAt(ratePerS, limits);
  const { atMs, pick } = traceOf({ requests, seed, ratePerS, poolSize: tokens.length });
  const from = warmUpOf(requests);
  const misses = mayMiss(requests);
  const { latencyMs, gaveUp } = await simulate({
    requests: Array.from(atMs, (at, i) => ({ atMs: at, lengths: [tokens[pick[i]]] })),
    plan: rule.make(),
    knobs: openKnobs(setting),
    lanes: setting.lanes,
    basis: setting.basis,
    cost: setting.cost,
    deadlineMs: Infinity,
    ...(machine === undefined ? {} : { machine }),
    giveUp: { afterMs: setting.sloMs, misses, from },
  });
  return !gaveUp && latencyMs.slice(from).filter((ms) => !(ms <= setting.sloMs)).length <= misses;
};
