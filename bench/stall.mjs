/**
 * How long is the event loop of the gateway held while a 12-layer model runs flat out on all lanes? The goal is 20 ms.
 * Needs bench/models/encoder12 (see bench/make-models.py). After `npm run build`:
 *
 *   node bench/stall.mjs [--seconds 20] [--clients 16] [--isolation thread] [--goalMs 20] [--dry]
 */
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { startLoad } from './lib/load-process.mjs';
import { machine, PROJECT } from './lib/machine.mjs';
import { startMetered } from './lib/metered-gateway.mjs';
import { readOptions } from './lib/options.mjs';
import { report, table } from './lib/report.mjs';
import { fraudQuestions, spamQuestions } from './lib/workloads.mjs';

const options = readOptions({ seconds: 20, clients: 16, isolation: 'thread', goalMs: 20, repeats: 5 });
const IDLE_SECONDS = 3;
const TIMEOUT_MS = 300_000;
const MODELS = {
  spam: 'models/spam',
  fraud_detector: 'models/fraud_detector',
  encoder12: 'bench/models/encoder12',
};

if (!existsSync(new URL('models/encoder12/model.onnx', import.meta.url)))
  throw new Error('bench/models/encoder12 is not there: run bench/make-models.py first');

const about = machine();
const gateway = await startMetered({
  server: { port: 0, accessLogPerSecond: 0 },
  log: { level: 'fatal' },
  lanes: { isolation: options.isolation },
  batching: { timeoutMs: TIMEOUT_MS },
  models: { root: PROJECT, load: [], default: 'spam' },
});

const post = async (path, body) => {
  const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const answer = await response.json();
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
};

/** Short and long texts; the model's answer to each, alone, is what it must answer under load. */
const encoderQuestions = async () => {
  const texts = (await spamQuestions({ count: 64, fewestWords: 5, mostWords: 120, seed: 7 })).map(
    (one) => one.texts[0],
  );
  const questions = [];
  for (const text of texts) {
    const body = { texts: [text], model: 'encoder12' };
    questions.push({ path: '/predict', body: JSON.stringify(body), want: await post('/predict', body) });
  }
  return questions;
};

const results = [];
/** Does it, and notes what the event loop of the gateway went through meanwhile. */
const during = async (what, work) => {
  await gateway.reset();
  const startedAt = performance.now();
  const note = await work();
  const seconds = (performance.now() - startedAt) / 1000;
  results.push({ what, seconds, note: note ?? '', ...(await gateway.read()) });
};

const [
  {
    texts: [word],
  },
] = await spamQuestions({ count: 1, fewestWords: 12, mostWords: 12 });
const megabyte = `${word} `.repeat(Math.ceil(1e6 / (word.length + 1))).slice(0, 1e6);
const manyTexts = Array.from({ length: 10_000 }, (_, i) => `${word} ${i}`);
const manyRows = fraudQuestions().map(({ body }) => JSON.parse(body).inputs[0]);
const LARGE = {
  '/predict of 1 MB, cut to 128 tokens': ['/predict', { texts: [megabyte] }],
  '/predict of 10,000 texts': ['/predict', { texts: manyTexts }],
  '10,000 rows of 30 numbers': [
    '/v1/models/fraud_detector/infer',
    { inputs: Array.from({ length: 10_000 }, (_, i) => manyRows[i % manyRows.length]) },
  ],
};

try {
  for (const [name, path] of Object.entries(MODELS)) await post('/v1/models', { name, path });
  const load = await startLoad(await encoderQuestions());
  const flatOut = (seconds) => load.run({ port: gateway.port, clients: options.clients, seconds });
  await flatOut(1);
  await during('idle', () => pause(IDLE_SECONDS * 1000));
  await during(`${options.clients} clients on encoder12`, async () => {
    const { perSecond, p50 } = await flatOut(options.seconds);
    return `${perSecond.toFixed(1)}/s, p50 ${p50.toFixed(0)} ms`;
  });
  for (const [what, [path, body]] of Object.entries(LARGE)) {
    const text = JSON.stringify(body);
    await during(`the same and ${what}, ${options.repeats} times`, async () => {
      let isOver = false;
      const background = (async () => {
        while (!isOver) await flatOut(1);
      })();
      const times = [];
      for (let repeat = 0; repeat < options.repeats; repeat++) {
        const startedAt = performance.now();
        await post(path, text);
        times.push(performance.now() - startedAt);
      }
      isOver = true;
      await background;
      return `answered in ${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)} ms`;
    });
  }
  load.stop();
} finally {
  await gateway.stop();
}

const rows = results.map((one) => ({
  phase: one.what,
  seconds: one.seconds,
  'longest stall ms': one.maxMs,
  'without waiting for a core ms': one.maxWithoutWaitMs,
  'most work at a time ms': one.maxCpuMs,
  'over 10 ms': one.over10,
  'over 20 ms': one.over20,
  'histogram max ms': one.histogramMaxMs,
  'p99 ms': one.histogramP99Ms,
  note: one.note,
}));
const longest = results
  .flatMap(({ what, longest: gaps }) => gaps.slice(0, 2).map((gap) => ({ phase: what, ...gap })))
  .map(({ phase, ms, cpuMs, waitedMs, gc }) => ({
    phase,
    'stall ms': ms,
    'at work ms': cpuMs,
    'waiting for a core ms': waitedMs,
    'garbage collections in it, ms': gc || '-',
  }));
const worst = Math.max(...results.map((one) => one.maxMs));
const worstWork = Math.max(...results.map((one) => one.maxCpuMs));
const isMet = worst <= options.goalMs;
/** Lanes, load generator and gateway share the cores; what else runs there is no part of the measurement. */
const doubt = about.loadBefore > 0.5 ? '; the machine was busy before, repeat on a quiet one' : '';

report({
  name: `stall-${options.isolation}`,
  title: `Event-loop stalls, ${options.isolation} lanes`,
  machine: about,
  sections: [
    ['Stalls of the gateway process', table(rows)],
    ['The two longest of each phase', table(longest)],
  ],
  verdict: `goal of ${options.goalMs} ms ${isMet ? 'met' : 'MISSED'}: longest stall ${worst.toFixed(1)} ms, most work at a time ${worstWork.toFixed(1)} ms${doubt}`,
  data: { options, results },
  isDry: options.dry,
});
if (!isMet) process.exitCode = 1;
