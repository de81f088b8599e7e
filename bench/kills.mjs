/**
 * Lanes are killed (SIGKILL) and stopped (SIGSTOP) under load, and threads hang inside a run: is every request answered,
 * right or with an error that allows a retry, and what do the others feel? Linux. After `npm run build`:
 *
 *   node bench/kills.mjs [--kills 1000] [--everyMs 1000] [--hangs 50] [--load 0.5] [--limitMs 1000] [--dry]
 *
 * Also says what process lanes cost against thread lanes: the capacity of both, and p50 at half of it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { startLoad } from './lib/load-process.mjs';
import { machine } from './lib/machine.mjs';
import { childrenOf, memoryOf } from './lib/memory-of.mjs';
import { startHanging } from './lib/hanging-gateway.mjs';
import { readOptions } from './lib/options.mjs';
import { report, table } from './lib/report.mjs';
import { listening, startCarpool } from './lib/servers.mjs';
import { seededRandom } from './lib/stats.mjs';
import { SteadyLoad } from './lib/steady-load.mjs';
import { fraudQuestions, spamQuestions } from './lib/workloads.mjs';

const options = readOptions({
  kills: 1_000,
  everyMs: 1_000,
  hangs: 50,
  load: 0.5,
  limitMs: 1_000,
  quietSeconds: 15,
  capacitySeconds: 6,
  seed: 1,
});
/** Requests a second are shared so: texts, rows. */
const SPAM_SHARE = 0.5;
/** Two hangs use up one guilty request; the next one comes when its lanes are back. */
const HANG_EVERY_MS = 1_000;

const about = machine();
const texts = await spamQuestions({ count: 500, fewestWords: 3, mostWords: 30 });
const rows = fraudQuestions();
const mixed = texts.flatMap((text, i) => [text, rows[i % rows.length]]);
const random = seededRandom(options.seed);

const set = (values) => Object.entries(values).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
const LIMITS = { 'lanes.runTimeoutMinMs': options.limitMs, 'lanes.runTimeoutFirstMs': 5 * options.limitMs };
const startWith = async (isolation, more = {}) =>
  listening(await startCarpool(set({ 'lanes.isolation': isolation, ...LIMITS, ...more }), isolation));

/** @returns requests a second in a closed loop */
const capacityOf = async (port) => {
  const load = await startLoad(mixed);
  await load.run({ port, clients: 16, seconds: 2 });
  const { perSecond } = await load.run({ port, clients: 16, seconds: options.capacitySeconds });
  load.stop();
  return perSecond;
};

const metric = async (port, name) => {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
};

const quietly = async (port, questions, perSecond) => {
  const load = new SteadyLoad({ port, questions, perSecond, random });
  await pause(options.quietSeconds * 1000);
  return load.stop();
};

const compared = {};
for (const isolation of ['thread', 'process']) {
  const server = await startWith(isolation);
  const capacity = await capacityOf(server.port);
  const { p50, p99 } = await quietly(
    server.port,
    mixed,
    Math.min(capacity, compared.thread?.capacity ?? capacity) * options.load,
  );
  compared[isolation] = { capacity, p50, p99 };
  await server.stop();
}

/** SIGKILL and SIGSTOP in turn, of any child, at random moments of each interval. */
const killing = async () => {
  const server = await startWith('process');
  const perSecond = compared.process.capacity * options.load;
  const quiet = await quietly(server.port, mixed, perSecond);
  const spam = new SteadyLoad({
    port: server.port,
    questions: texts,
    perSecond: perSecond * SPAM_SHARE,
    random,
  });
  const fraud = new SteadyLoad({
    port: server.port,
    questions: rows,
    perSecond: perSecond * (1 - SPAM_SHARE),
    random,
  });
  let missed = 0;
  for (let kill = 0; kill < options.kills; kill++) {
    const until = performance.now() + options.everyMs;
    await pause(random() * options.everyMs);
    const lanes = childrenOf(server.pid);
    const victim = lanes[Math.floor(random() * lanes.length)];
    try {
      process.kill(victim, kill % 2 === 0 ? 'SIGKILL' : 'SIGSTOP');
    } catch {
      missed++;
    }
    await pause(Math.max(0, until - performance.now()));
    server.assertAlive();
  }
  const [a, b] = await Promise.all([spam.stop(), fraud.stop()]);
  const restarts = await metric(server.port, 'carpool_lane_restarts_total');
  await server.stop();
  return { quiet, spam: a, fraud: b, restarts, missed };
};

/** Threads hang in runs of the fraud model; the spam model should hardly feel it. */
const hanging = async () => {
  const server = await startHanging({
    server: { port: 0, accessLogPerSecond: 0 },
    log: { level: 'fatal' },
    models: { root: 'models' },
    lanes: {
      maxAbandoned: 2 * options.hangs,
      // Out of service, the model would do no harm: that is another question.
      breakerLosses: 0,
      runTimeoutMinMs: options.limitMs,
      runTimeoutFirstMs: options.limitMs,
    },
  });
  const perSecond = compared.thread.capacity * options.load * SPAM_SHARE;
  const quiet = await quietly(server.port, texts, perSecond);
  const spam = new SteadyLoad({ port: server.port, questions: texts, perSecond, random });
  const body = JSON.stringify({ inputs: [[6666, 3_600_000, ...new Array(28).fill(0)]] });
  const codes = {};
  const losses = () =>
    metric(server.port, 'carpool_lane_losses_total\\{model="fraud_detector",how="hung"\\}');
  for (;;) {
    const hung = (await losses()) || 0;
    if (hung >= options.hangs) break;
    const response = await fetch(`http://127.0.0.1:${server.port}/v1/models/fraud_detector/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    const answer = await response.json();
    const code = `${response.status} ${answer.error?.code ?? ''}`;
    codes[code] = (codes[code] ?? 0) + 1;
    await pause(response.status === 503 ? 1000 * Number(response.headers.get('retry-after')) : HANG_EVERY_MS);
  }
  const after = await spam.stop();
  const { rss } = memoryOf(server.pid);
  const hung = await losses();
  server.stop();
  return { quiet, spam: after, codes, hung, rss };
};

const killed = options.kills > 0 ? await killing() : undefined;
const hungs = options.hangs > 0 ? await hanging() : undefined;

const rowOf = (what, { sent, answered, counts, p50, p99, wrong }) => ({
  what,
  sent,
  answered,
  right: counts['200'] ?? 0,
  'retryable errors': answered - (counts['200'] ?? 0) - wrong,
  wrong,
  'p50 ms': p50,
  'p99 ms': p99,
});
const all = [
  ...(killed
    ? [
        ['quiet, both models', killed.quiet],
        ['killed: spam', killed.spam],
        ['killed: fraud_detector', killed.fraud],
      ]
    : []),
  ...(hungs
    ? [
        ['quiet, spam', hungs.quiet],
        ['threads hang: spam', hungs.spam],
      ]
    : []),
];
const lost = all.reduce((sum, [, one]) => sum + one.sent - one.answered, 0);
const wrong = all.reduce((sum, [, one]) => sum + one.wrong, 0);
const ratio = hungs === undefined ? NaN : hungs.spam.p99 / hungs.quiet.p99;
const { thread, process: apart } = compared;

report({
  name: 'kills',
  title: `${options.kills} kills and hangs of process lanes, ${options.hangs} threads that hang`,
  machine: about,
  sections: [
    [
      'Lanes',
      table(
        Object.entries(compared).map(([kind, one]) => ({
          kind,
          'requests/s': one.capacity,
          'p50 ms at the same rate': one.p50,
          'p99 ms': one.p99,
        })),
      ),
    ],
    ['Requests', table(all.map(([what, one]) => rowOf(what, one)))],
    [
      'Beside',
      JSON.stringify({
        restarts: killed?.restarts,
        hungRuns: hungs?.hung,
        answersOfHangs: hungs?.codes,
        rssMiBWithHungThreads: hungs?.rss,
      }),
    ],
    ['Problems', all.flatMap(([, one]) => one.problems).join('\n') || 'none'],
  ],
  verdict: `${lost} requests without an answer, ${wrong} wrong; p99 of the other model with threads that hang ${ratio.toFixed(2)}x; process lanes serve ${((100 * apart.capacity) / thread.capacity).toFixed(0)} % of what threads do, p50 ${(apart.p50 - thread.p50).toFixed(2)} ms more`,
  data: { options, compared, killed, hungs },
  isDry: options.dry,
});
if (lost + wrong > 0) process.exitCode = 1;
process.exit();
