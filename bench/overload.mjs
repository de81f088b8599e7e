/**
 * Twice the load that a gateway can bear, open loop, mixed lengths, each request with the SLO as its time: what is still
 * answered in time, of short texts and of long ones, and is everybody answered? After `npm run build` and
 * bench/make-models.py:
 *
 *   node bench/overload.mjs [--model all|spam|encoder6] [--rate 0] [--rounds 3] [--seconds 6] [--slo 0] [--quick] [--dry]
 *
 * --rate: capacity at the SLO as bench/capacity.mjs found it, requests a second; 0 = it is looked for first.
 * --slo: milliseconds; 0 = ten lone runs of a text at the 95th percentile of the lengths, at least 25 ms.
 */
import { assertModels, LANES, makeCostCache, startArm } from './lib/arms.mjs';
import { machine } from './lib/machine.mjs';
import { MODELS, poolOf } from './lib/mixes.mjs';
import { startOpenLoop } from './lib/open-loop.mjs';
import { readOptions } from './lib/options.mjs';
import { costOfCard, predictCapacity } from './lib/predict.mjs';
import { report, table } from './lib/report.mjs';
import { measureCapacity } from './lib/search.mjs';
import { median } from './lib/stats.mjs';

const options = readOptions({
  model: 'all',
  rate: 0,
  rounds: 3,
  seconds: 6,
  slo: 0,
  quick: false,
});
const models = options.model === 'all' ? Object.keys(MODELS) : options.model.split(',');
const rounds = options.quick ? 1 : options.rounds;
const seconds = options.quick ? Math.min(3, options.seconds) : options.seconds;
const MIX = 'mixed';
const LEAST_SLO_MS = 25;
const SLO_RUNS = 10;
const SEED = 9_000;
const FIRST_TRACE = { most: 1_000, seconds: Infinity, seed: 1 };
/** What HTTP may cost, for the first guess only: milliseconds a request. */
const GUESSED_WORK = { loopMs: 0.25, otherMs: 0.02, loadMs: 0.07 };
const OVERLOAD = 2;
/** Of the least goodput at overload, and the most short:long. */
const GOAL_GOODPUT = 0.95;
const GOAL_RATIO = 1.3;

assertModels(models);
const about = machine();
const log = (line) => console.log(line);

const play = async (arm, load, trace) => {
  const result = await arm.during(() => load.run({ ...trace, port: arm.port, giveUp: false }));
  await arm.idle();
  log(
    `${arm.what}: ${trace.ratePerS.toFixed(1)}/s: ${JSON.stringify(result.outcomes)}, ${result.goodTokensPerS.toFixed(0)} tokens/s in time, short ${result.shortServed.toFixed(3)}, long ${result.longServed.toFixed(3)}, p99 ${result.p99.toFixed(1)} ms`,
  );
  return result;
};

/** Twice, the second time on a trace as long as it should be. @throws Error where no rate holds */
const findCapacity = async (arm, load, pool, sloMs) => {
  const situation = {
    arm: 'cost',
    cost: costOfCard(await arm.cost()),
    lanes: LANES,
    sloMs,
    tokens: pool.map(({ tokens }) => tokens),
  };
  let rate = await predictCapacity(situation, { cores: about.cores, ...GUESSED_WORK }, 100, FIRST_TRACE);
  for (let search = 1; search <= 2; search++) {
    const trace = { most: Math.max(300, Math.round(rate * seconds)), seconds, seed: SEED - search, sloMs };
    ({ rate } = await measureCapacity({ arm, load, trace, startRate: rate, log }));
    if (rate === 0)
      throw new Error(
        `${arm.what}: the SLO of ${sloMs} ms holds at no rate: is the machine busy? --rate sets one`,
      );
  }
  return rate;
};

const overload = async (model, cacheDir) => {
  const { pool, p95Ms } = await poolOf(model, MIX);
  const sloMs = options.slo || Math.max(LEAST_SLO_MS, Math.round(SLO_RUNS * p95Ms));
  log(`${model}: SLO ${sloMs} ms`);
  const load = await startOpenLoop(pool);
  const arms = [];
  try {
    // The capacity is that of a gateway which may take its time; then each request has only the SLO.
    const patient = await startArm({ model, arm: 'cost', sloMs, cacheDir });
    arms.push(patient);
    const capacity = options.rate || (await findCapacity(patient, load, pool, sloMs));
    const hurried = await startArm({
      model,
      arm: 'cost',
      sloMs,
      cacheDir,
      settings: { 'batching.timeoutMs': sloMs },
    });
    arms.push(hurried);
    const requests = Math.max(200, Math.round(capacity * seconds));
    await play(hurried, load, { requests, ratePerS: capacity / 2, seed: 1, sloMs });
    const results = [];
    for (let round = 0; round < rounds; round++) {
      const seed = SEED + round;
      const peak = await play(hurried, load, { requests, ratePerS: capacity, seed, sloMs });
      const over = await play(hurried, load, {
        requests: OVERLOAD * requests,
        ratePerS: OVERLOAD * capacity,
        seed,
        sloMs,
      });
      results.push({ round, peak, over });
    }
    return { model, sloMs, capacity, results };
  } finally {
    load.stop();
    await Promise.all(arms.map((arm) => arm.stop()));
  }
};

const found = [];
const failures = [];
const cache = await makeCostCache();
try {
  for (const model of models)
    try {
      found.push(await overload(model, cache.folder));
    } catch (error) {
      log(`${model}: ${error.stack}`);
      failures.push(`${model}: ${error.message}`);
    }
} finally {
  await cache.remove();
}

const unansweredOf = (results) =>
  results
    .flatMap(({ peak, over }) => [peak, over])
    .reduce((sum, { unanswered, outcomes }) => {
      const broken = (outcomes['connection closed'] ?? 0) + (outcomes['no connection left'] ?? 0);
      return sum + unanswered + broken;
    }, 0);
/** Refusals that should say when to come back, and do not. */
const unpromisedOf = (results) =>
  results
    .flatMap(({ peak, over }) => [peak, over])
    .flatMap(({ outcomes }) => [429, 504].map((status) => outcomes[`${status} without Retry-After`] ?? 0))
    .reduce((a, b) => a + b, 0);
const goodputOf = ({ peak, over }) => over.goodTokensPerS / peak.goodTokensPerS;
const ratioOf = ({ over }) => over.shortServed / over.longServed;
const loopShare = ({ times, ms }) => times.loopMs / ms;

const rows = found.flatMap(({ model, capacity, results }) =>
  results.flatMap(({ round, peak, over }) =>
    [
      ['1×', peak],
      ['2×', over],
    ].map(([load, one]) => ({
      'model, round, load': `${model}, ${round + 1}, ${load} ${capacity.toFixed(0)}/s`,
      'tokens/s in time': Math.round(one.goodTokensPerS),
      'of 1×': load === '1×' ? '-' : goodputOf({ peak, over }),
      'short served': one.shortServed,
      'long served': one.longServed,
      'short:long': one.shortServed / one.longServed,
      'p50 / p99 ms of those': `${one.p50.toFixed(1)} / ${one.p99.toFixed(1)}`,
      unanswered: one.unanswered,
      'event loop at work': `${(100 * loopShare(one)).toFixed(0)} %`,
      'sent late, p99 ms': one.sendLagP99,
      outcomes: Object.entries(one.outcomes)
        .map(([what, count]) => `${what}: ${count}`)
        .join(', '),
    })),
  ),
);
const verdictOf = (isMet) => (isMet ? 'met' : 'SHORT');
const verdicts = found.flatMap(({ model, results }) => {
  const goodput = median(results.map(goodputOf));
  const ratio = median(results.map(ratioOf));
  const unanswered = unansweredOf(results);
  return [
    `${model}: token goodput at 2× ≥ ${GOAL_GOODPUT} of the peak: ${goodput.toFixed(3)} ${verdictOf(goodput >= GOAL_GOODPUT)}`,
    `${model}: short:long ≤ ${GOAL_RATIO}: ${ratio.toFixed(3)} ${verdictOf(ratio <= GOAL_RATIO)}`,
    `${model}: none unanswered: ${unanswered} ${verdictOf(unanswered === 0)}`,
    `${model}: 429 or 504 without Retry-After: ${unpromisedOf(results)} ${verdictOf(unpromisedOf(results) === 0)}`,
  ];
});

report({
  name: `overload${options.model === 'all' ? '' : `-${options.model}`}${options.quick ? '-quick' : ''}`,
  title: 'Overload: twice the capacity, open loop',
  machine: about,
  sections: [
    [
      `Mixed lengths; time of a request = SLO (${found.map(({ model, sloMs }) => `${model} ${sloMs} ms`).join(', ')}); answers checked`,
      table(rows),
    ],
    [
      'Goals',
      [...verdicts, ...failures.map((failure) => `NOT MEASURED ${failure}`)]
        .map((line) => `- ${line}`)
        .join('\n'),
    ],
  ],
  data: { options, found, failures },
  isDry: options.dry,
});
if (failures.length > 0) process.exitCode = 1;
