import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gatewayTimes, threadTimes } from './cpu-of.mjs';
import { PROJECT } from './machine.mjs';
import { MODELS } from './mixes.mjs';
import { listening, startCarpool } from './servers.mjs';

/** One lane a core, as the default on two cores; fixed, so that the simulator knows. */
export const LANES = 2;
/** For the gateway to measure the model in its idle time, as it does by default. */
const MEASURE_LIMIT_MS = 60_000;
const IDLE_POLL_MS = 100;
const IDLE_LIMIT_MS = 120_000;

/** @throws Error that says how to make what is missing */
export const assertModels = (models) => {
  for (const model of models) {
    if (MODELS[model] === undefined)
      throw new Error(`--model: expected ${Object.keys(MODELS).join(', ')} or all; found "${model}"`);
    if (!existsSync(join(PROJECT, 'bench/models', MODELS[model].folder, 'model.onnx')))
      throw new Error(
        `bench/models/${MODELS[model].folder} is not there: run bench/make-models.py (see bench/README.md)`,
      );
  }
};

/** A folder for measured costs that lasts as long as the bench: all gateways start from the same measurement. */
export const makeCostCache = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'carpool-bench-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
};

const getJson = async (port, path) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  if (!response.ok) throw new Error(`GET ${path}: ${response.status}`);
  return response.json();
};

/** Until the cost is known: it is written down then. */
const measured = async (cacheDir) => {
  const until = performance.now() + MEASURE_LIMIT_MS;
  while ((await readdir(cacheDir)).length === 0) {
    if (performance.now() > until) throw new Error(`no cost was measured within ${MEASURE_LIMIT_MS} ms`);
    await pause(IDLE_POLL_MS);
  }
};

/** Sums of a histogram or counter of a Prometheus page, labels added up. */
const sumOf = (page, name) =>
  [...page.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  );

/** A bench that is stopped half-way leaves no gateway behind. */
const endWithUs = (server) => {
  for (const signal of ['SIGINT', 'SIGTERM'])
    if (process.listenerCount(signal) === 0) process.once(signal, () => process.exit(1));
  process.once('exit', () => {
    try {
      server.assertAlive();
      process.kill(server.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  });
};

/**
 * A gateway that serves one model by one rule of composition, with the readings that the benches take of it.
 *
 * @param settings more of `--set`, as `{ 'batching.timeoutMs': 100 }`
 */
export const startArm = async ({ model, arm, sloMs, cacheDir, settings = {} }) => {
  const all = {
    'models.root': join(PROJECT, 'bench/models'),
    'models.load': `[${MODELS[model].folder}]`,
    'models.default': MODELS[model].folder,
    'models.cacheDir': cacheDir,
    'lanes.count': LANES,
    'lanes.intraOpThreads': 1,
    'server.accessLogPerSecond': 0,
    'server.slowRequestMs': 60_000,
    'batching.composition': arm,
    'batching.singleFlight': false,
    ...(sloMs === undefined ? {} : { 'batching.sloMs': sloMs }),
    ...settings,
  };
  const args = Object.entries(all).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const server = await startCarpool(args, `${model}, ${arm}`);
  endWithUs(server);
  try {
    await listening(server);
    await measured(cacheDir);
  } catch (error) {
    await server.stop();
    throw error;
  }
  const metrics = async () => (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
  const counters = async () => {
    const page = await metrics();
    const of = (name) => sumOf(page, `carpool_${name}`);
    return {
      runs: of('run_seconds_count'),
      runMs: of('run_seconds_sum') * 1000,
      rows: of('batch_rows_sum'),
      tokens: of('tokens_total'),
      paddedTokens: of('padded_tokens_total'),
    };
  };
  return {
    ...server,
    arm,
    /** The fitted cost model, as clients see it. */
    cost: async () => (await getJson(server.port, `/v1/models/${MODELS[model].folder}`)).cost,
    /** Until nothing waits and no lane runs: what a load that was given up has left behind is done. */
    idle: async () => {
      const until = performance.now() + IDLE_LIMIT_MS;
      for (;;) {
        const page = await metrics();
        const isRunning = /^carpool_lanes\{state="running"\} [1-9]/m.test(page);
        if (!isRunning && sumOf(page, 'carpool_queue_rows') === 0) return;
        if (performance.now() > until) throw new Error(`${model}, ${arm}: busy for ${IDLE_LIMIT_MS} ms`);
        await pause(IDLE_POLL_MS);
      }
    },
    /** Does it, and says what the gateway did meanwhile: batches, and milliseconds of its threads. */
    during: async (work) => {
      const [countsBefore, timesBefore] = [await counters(), threadTimes(server.pid)];
      const startedAt = performance.now();
      const result = await work();
      const ms = performance.now() - startedAt;
      const times = gatewayTimes(server.pid, timesBefore, threadTimes(server.pid), LANES);
      const countsAfter = await counters();
      const counts = Object.fromEntries(
        Object.entries(countsAfter).map(([key, value]) => [key, value - countsBefore[key]]),
      );
      return { ...result, ms, times, counts };
    },
  };
};
