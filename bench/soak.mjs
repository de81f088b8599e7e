/**
 * Half an hour at 80 % of what the gateway can bear: is every answer right, and does nothing grow? Texts of all lengths at
 * random times (Poisson), each answer checked; memory, handles, threads and the event loop's delay every few seconds. RSS
 * is judged by least squares over the samples after the warm-up. After `npm run build`, on Linux:
 *
 *   node bench/soak.mjs [--minutes 30] [--load 0.8] [--rate 0] [--warmUp 0.2] [--isolation thread] [--cache]
 *     [--lazy: V8 as it is; else garbage is collected before each look, and the space for young objects is small] [--dry]
 *
 * --rate: requests a second that are 100 %; 0 = measured first, with 32 clients that ask without a pause.
 * --warmUp: part of the time of which samples do not count.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { startLoad } from './lib/load-process.mjs';
import { machine } from './lib/machine.mjs';
import { childrenOf, memoryOf } from './lib/memory-of.mjs';
import { startOpenLoop } from './lib/open-loop.mjs';
import { readOptions } from './lib/options.mjs';
import { report, table } from './lib/report.mjs';
import { listening, startCarpool } from './lib/servers.mjs';
import { slope } from './lib/stats.mjs';
import { spamQuestions } from './lib/workloads.mjs';

const options = readOptions({
  minutes: 30,
  load: 0.8,
  rate: 0,
  warmUp: 0.2,
  isolation: 'thread',
  cache: false,
  lazy: false,
});
const CLIENTS = 32;
const CAPACITY_SECONDS = 10;
/** One trace after the other: each is as long as its arrays may be. */
const SEGMENT_MS = 60_000;
const SAMPLES = 120;
const LEAST_SAMPLE_MS = 2_000;
const SETTLE_MS = 500;
const YOUNG_MIB = 1;
/** What the line may rise over the samples, MiB, or this part of the memory. */
const FLAT_MIB = 8;
const FLAT_PART = 0.03;
/** Connections come and go with the load. */
const HANDLES_MORE = 8;
const SLO_MS = 1_000;

const about = machine();
const totalMs = options.minutes * 60_000;
const questions = await spamQuestions({ count: 3_000, fewestWords: 1, mostWords: 100 });
const pool = questions.map(({ texts, want }) => ({
  body: JSON.stringify({ texts }),
  tokens: texts[0].split(' ').length,
  ...want.predictions[0],
}));

const threadsOf = (pid) =>
  Number(/^Threads:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

const look = async (server, startedAt) => {
  if (!options.lazy) {
    for (const pid of [server.pid, ...childrenOf(server.pid)]) process.kill(pid, 'SIGUSR2');
    await pause(SETTLE_MS);
  }
  const page = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
  const value = (name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(page)?.[1] ?? NaN);
  const { allRss } = memoryOf(server.pid);
  return {
    minute: (performance.now() - startedAt) / 60_000,
    rssMiB: allRss,
    heapMiB: value('nodejs_heap_size_used_bytes') / 2 ** 20,
    handles: readdirSync(`/proc/${server.pid}/fd`).length,
    threads: threadsOf(server.pid),
    loopP99Ms: value('nodejs_eventloop_lag_p99_seconds') * 1000,
    loopMaxMs: value('nodejs_eventloop_lag_max_seconds') * 1000,
  };
};

const capacityOf = async (server) => {
  if (options.rate > 0) return options.rate;
  const load = await startLoad(questions);
  try {
    const { perSecond } = await load.run({ port: server.port, clients: CLIENTS, seconds: CAPACITY_SECONDS });
    return perSecond;
  } finally {
    load.stop();
  }
};

/** Segment after segment until the time is over. */
const soak = async (server, load, ratePerS, until) => {
  const sums = { requests: 0, right: 0, unanswered: 0, outcomes: {}, p99: [] };
  for (let segment = 0; performance.now() < until; segment++) {
    const ms = Math.min(SEGMENT_MS, Math.max(1_000, until - performance.now()));
    const requests = Math.max(20, Math.round((ratePerS * ms) / 1000));
    const one = await load.run({
      port: server.port,
      ratePerS,
      requests,
      seed: 1 + segment,
      sloMs: SLO_MS,
      giveUp: false,
    });
    sums.requests += requests;
    sums.right += one.outcomes['200'] ?? 0;
    sums.unanswered += one.unanswered;
    sums.p99.push(one.p99);
    for (const [what, count] of Object.entries(one.outcomes))
      sums.outcomes[what] = (sums.outcomes[what] ?? 0) + count;
    console.error(
      `${sums.requests} requests: ${JSON.stringify(sums.outcomes)}, p99 ${one.p99.toFixed(1)} ms`,
    );
  }
  return sums;
};

const preload = new URL('lib/collect-on-signal.mjs', import.meta.url).href;
const env = options.lazy ? {} : { NODE_OPTIONS: `--max-semi-space-size=${YOUNG_MIB} --import=${preload}` };
const settings = [`lanes.isolation=${options.isolation}`, `cache.enabled=${options.cache}`];
const server = await listening(
  await startCarpool(
    settings.flatMap((setting) => ['--set', setting]),
    'carpool',
    env,
  ),
);
const samples = [];
let capacity = NaN;
let sums;
try {
  capacity = await capacityOf(server);
  const ratePerS = options.load * capacity;
  console.error(`capacity ${capacity.toFixed(0)}/s; ${ratePerS.toFixed(0)}/s for ${options.minutes} min`);
  const load = await startOpenLoop(pool);
  try {
    const startedAt = performance.now();
    const until = startedAt + totalMs;
    let isOver = false;
    const soaking = soak(server, load, ratePerS, until).finally(() => (isOver = true));
    const everyMs = Math.max(LEAST_SAMPLE_MS, totalMs / SAMPLES);
    while (!isOver) {
      samples.push(await look(server, startedAt));
      await Promise.race([pause(everyMs, undefined, { ref: false }), soaking.catch(() => undefined)]);
    }
    sums = await soaking;
  } finally {
    load.stop();
  }
} finally {
  await server.stop();
}

const counted = samples.filter(({ minute }) => minute >= options.warmUp * options.minutes);
const minutes = counted.map(({ minute }) => minute);
const span = (minutes.at(-1) ?? 0) - (minutes[0] ?? 0);
const riseOf = (key) =>
  slope(
    minutes,
    counted.map((one) => one[key]),
  ) * span;
const rssRise = riseOf('rssMiB');
const mayRise = Math.max(FLAT_MIB, FLAT_PART * (counted[0]?.rssMiB ?? 0));
const worst = (key) => Math.max(...counted.map((one) => one[key]));
const wrong = sums.requests - sums.right;
const checks = [
  [
    `RSS ${rssRise >= 0 ? 'rose' : 'fell'} by ${Math.abs(rssRise).toFixed(1)} MiB in ${span.toFixed(1)} min (may rise by ${mayRise.toFixed(1)}), ${((rssRise / span) * 60).toFixed(1)} MiB an hour`,
    rssRise <= mayRise,
  ],
  [
    `handles: trend ${riseOf('handles').toFixed(1)}, threads ${riseOf('threads').toFixed(1)}`,
    riseOf('handles') <= HANDLES_MORE && riseOf('threads') < 1,
  ],
  [
    `${sums.right} of ${sums.requests} answers right, ${sums.unanswered} unanswered`,
    wrong === 0 && sums.unanswered === 0,
  ],
];
const verdict = checks.map(([text, isGood]) => `${isGood ? 'met' : 'SHORT'}: ${text}`).join('; ');
const every = Math.max(1, Math.floor(samples.length / 20));

report({
  name: `soak${options.isolation === 'thread' ? '' : `-${options.isolation}`}${options.cache ? '-cache' : ''}`,
  title: `Soak: ${options.minutes} minutes at ${Math.round(100 * options.load)} % load`,
  machine: about,
  sections: [
    [
      `${(options.load * capacity).toFixed(0)} requests a second of ${capacity.toFixed(0)} that it can bear; ${options.isolation} lanes`,
      table(samples.filter((_, i) => i % every === 0 || i === samples.length - 1)),
    ],
    [
      'Event loop and latency',
      `delay p99 at worst ${worst('loopP99Ms').toFixed(1)} ms, longest ${worst('loopMaxMs').toFixed(1)} ms between two looks; p99 of answers by minute, at worst ${Math.max(...sums.p99).toFixed(1)} ms; outcomes ${JSON.stringify(sums.outcomes)}`,
    ],
  ],
  verdict,
  data: { options, capacity, sums, samples },
  isDry: options.dry,
});
if (checks.some(([, isGood]) => !isGood)) process.exitCode = 1;
