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
import { assertModels, makeCostCache, startArm } from './lib/arms.mjs';
import { machine } from './lib/machine.mjs';
import { MODELS, poolOf } from './lib/mixes.mjs';
import { startOpenLoop } from './lib/open-loop.mjs';
import { readOptions } from './lib/options.mjs';
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
/** First guess, requests a second, of a capacity that is looked for. */
const GUESS = { spam: 1_000, encoder6: 40 };
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
    let capacity = options.rate;
    if (capacity === 0) {
      const most = Math.round(GUESS[model] * seconds);
      const trace = { most, seconds, seed: SEED - 1, sloMs };
      const first = await measureCapacity({ arm: patient, load, trace, startRate: GUESS[model], log });
      const again = { ...trace, seed: SEED - 2, most: Math.max(200, Math.round(first.rate * seconds)) };
      capacity = (await measureCapacity({ arm: patient, load, trace: again, startRate: first.rate, log }))
        .rate;
    }
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
const cache = await makeCostCache();
try {
  for (const model of models) found.push(await overload(model, cache.folder));
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
    ['Goals', verdicts.map((line) => `- ${line}`).join('\n')],
  ],
  data: { options, found },
  isDry: options.dry,
});
