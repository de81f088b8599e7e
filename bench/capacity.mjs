/**
 * Capacity at the SLO of a real gateway, open loop: the highest Poisson rate at which p99 <= SLO and nothing is refused
 * or fails, by the cost model (the default), without batching, and first come, first served. The arms take turns on the
 * same traces; each answer is checked. Then what the simulator predicts from the fitted cost. After `npm run build` and
 * bench/make-models.py:
 *
 *   node bench/capacity.mjs [--model all|spam|encoder6] [--mix all|short|mixed|long] [--arms cost,off,fifo] [--rounds 3]
 *     [--seconds 5] [--slo 0] [--quick] [--dry]
 *
 * --slo: milliseconds, for all; 0 = ten lone runs of a text at the 95th percentile of the lengths, at least 25 ms.
 * --quick: one round of short probes.
 */
import { assertModels, LANES, makeCostCache, startArm } from './lib/arms.mjs';
import { capacityReport } from './lib/capacity-report.mjs';
import { machine } from './lib/machine.mjs';
import { MIXES, MODELS, poolOf } from './lib/mixes.mjs';
import { startOpenLoop } from './lib/open-loop.mjs';
import { readOptions } from './lib/options.mjs';
import { costOfCard, predictCapacity } from './lib/predict.mjs';
import { measureCapacity } from './lib/search.mjs';
import { ascending, median, quantile } from './lib/stats.mjs';

const options = readOptions({
  model: 'all',
  mix: 'all',
  arms: 'cost,off,fifo',
  rounds: 3,
  seconds: 5,
  slo: 0,
  quick: false,
});
const listOf = (text, all) => (text === 'all' ? Object.keys(all) : text.split(','));
const models = listOf(options.model, MODELS);
const mixes = listOf(options.mix, MIXES);
const arms = options.arms.split(',');
const rounds = options.quick ? 1 : options.rounds;
const seconds = options.quick ? Math.min(2.5, options.seconds) : options.seconds;
const LEAST_SLO_MS = 25;
const SLO_RUNS = 10;
const LEAST_REQUESTS = 300;
const SEED = 7_000;
const FIRST_TRACE = { most: 1_000, seconds: Infinity, seed: 1 };
/** What HTTP may cost, for the first guess only: milliseconds a request. */
const GUESSED_WORK = { loopMs: 0.25, otherMs: 0.02, loadMs: 0.07 };

assertModels(models);
const about = machine();
const { cores } = about;
const startedAt = performance.now();
const log = (line) =>
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${line}`);

/** Milliseconds that the gateway's threads and the load took a request, in a probe. */
const workOf = ({ times, loadCpuMs, outcomes, counts }) => {
  const answers = Object.values(outcomes).reduce((a, b) => a + b, 0);
  return {
    loopMs: times.loopMs / answers,
    otherMs: times.otherMs / answers,
    loadMs: loadCpuMs / answers,
    lanesMs: times.lanesMs / answers,
    runMs: counts.runMs / answers,
    overheadMs: (times.loopMs + times.otherMs + loadCpuMs) / answers,
  };
};

/** The middle one of what the rounds predict, each on its own trace. */
const predictOnTraces = async (situation, work, guess, traces) => {
  const rates = [];
  for (const trace of traces) rates.push(await predictCapacity(situation, work, guess, trace));
  return median(rates);
};

const measureCell = async (model, mix, cacheDir) => {
  const { pool, p95Ms } = await poolOf(model, mix);
  const sloMs = options.slo || Math.max(LEAST_SLO_MS, Math.round(SLO_RUNS * p95Ms));
  const tokens = pool.map((entry) => entry.tokens);
  const lengths = ascending(tokens);
  const [p10, p50, p75, p95] = [0.1, 0.5, 0.75, 0.95].map((q) => quantile(lengths, q));
  log(`${model}, ${mix}: lengths p10 ${p10}, p50 ${p50}, p75 ${p75}, p95 ${p95}; SLO ${sloMs} ms`);
  const load = await startOpenLoop(pool);
  const servers = [];
  try {
    // One after the other: the first one measures the cost, undisturbed, and the others read it.
    for (const arm of arms) servers.push(await startArm({ model, arm, sloMs, cacheDir }));
    const idleCost = await servers[0].cost();
    log(`cost ${JSON.stringify(idleCost)}`);
    const idle = costOfCard(idleCost);
    const situationOf = (arm, cost) => ({ arm, cost, lanes: LANES, sloMs, tokens });

    const guesses = {};
    for (const arm of arms)
      guesses[arm] = await predictCapacity(
        situationOf(arm, idle),
        { cores, ...GUESSED_WORK },
        100,
        FIRST_TRACE,
      );
    const requests = Math.max(LEAST_REQUESTS, Math.round(seconds * guesses[arms[0]]));
    const traces = Array.from({ length: rounds }, (_, round) => ({
      most: requests,
      seconds,
      seed: SEED + round,
    }));
    const results = Object.fromEntries(arms.map((arm) => [arm, []]));
    for (const server of servers) {
      await load.run({
        port: server.port,
        ratePerS: guesses[server.arm] / 3,
        requests: Math.round(requests / 5),
        seed: 1,
        sloMs,
        giveUp: false,
      });
      await server.idle();
    }
    for (const [round, trace] of traces.entries())
      for (let i = 0; i < servers.length; i++) {
        const server = servers[(i + round) % servers.length];
        const last = results[server.arm].at(-1)?.rate;
        const found = await measureCapacity({
          arm: server,
          load,
          trace: { ...trace, sloMs },
          startRate: last || guesses[server.arm],
          log,
        });
        log(`${model}, ${mix}, round ${round + 1}: ${server.arm} ${found.rate.toFixed(1)}/s`);
        results[server.arm].push({ ...found, cost: await server.cost() });
      }

    const cells = [];
    for (const arm of arms) {
      const found = results[arm];
      const capacity = median(found.map(({ rate }) => rate));
      const works = found.flatMap(({ best }) => (best === undefined ? [] : [workOf(best)]));
      const work = Object.fromEntries(
        Object.keys(works[0] ?? {}).map((key) => [key, median(works.map((one) => one[key]))]),
      );
      const served = costOfCard(found.at(-1).cost);
      const guess = capacity || guesses[arm];
      cells.push({
        model,
        mix,
        arm,
        sloMs,
        requests,
        rates: found.map(({ rate }) => rate),
        capacity,
        work,
        idleCost,
        servedCost: found.at(-1).cost,
        predicted: {
          idle: await predictOnTraces(situationOf(arm, idle), undefined, guess, traces),
          idleLongRun: await predictCapacity(situationOf(arm, idle), undefined, guess),
          withHttp: await predictOnTraces(situationOf(arm, idle), { cores, ...work }, guess, traces),
          inService: await predictOnTraces(situationOf(arm, served), undefined, guess, traces),
        },
        probes: found.flatMap(({ probes }, round) => probes.map((probe) => ({ round, ...probe }))),
      });
    }
    return cells;
  } finally {
    load.stop();
    await Promise.all(servers.map((server) => server.stop()));
  }
};

const cells = [];
const failures = [];
const cache = await makeCostCache();
try {
  for (const model of models)
    for (const mix of mixes)
      try {
        cells.push(...(await measureCell(model, mix, cache.folder)));
      } catch (error) {
        // An hour of figures must not be lost to one that can't be had.
        log(`${model}, ${mix}: ${error.stack}`);
        failures.push(`${model}, ${mix}: ${error.message}`);
      }
} finally {
  await cache.remove();
}

const name = `capacity${options.model === 'all' ? '' : `-${options.model}`}${options.mix === 'all' ? '' : `-${options.mix}`}${options.quick ? '-quick' : ''}`;
capacityReport({ name, about, options, rounds, seconds, cells, failures });
if (failures.length > 0) process.exitCode = 1;
