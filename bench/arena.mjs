/**
 * How far does ONNX Runtime's arena grow with many shapes? Runs of models/spam with lengths of 8 to 512 and batches of 1
 * to 32 in a process of their own each, and its memory after every thousand; as threads of the gateway, the lanes share
 * one such process. After `npm run build`:
 *
 *   node bench/arena.mjs [--runs 10000] [--dry]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { machine, PROJECT } from './lib/machine.mjs';
import { readOptions } from './lib/options.mjs';
import { report, table } from './lib/report.mjs';
import { seededRandom } from './lib/stats.mjs';

const SESSION = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  logSeverityLevel: 4,
};
/** Position embeddings end there. */
const MOST_TOKENS = 512;
const MOST_ROWS = 32;
const ARMS = {
  'thread, as it was': { kind: 'thread' },
  'process, as it was': { kind: 'process' },
  'process, lengths in steps of 32': { kind: 'process', step: 32 },
  'process, no memory pattern': { kind: 'process', session: { enableMemPattern: false } },
  'process, no arena': { kind: 'process', session: { enableCpuMemArena: false } },
  'thread, no arena': { kind: 'thread', session: { enableCpuMemArena: false } },
};

const rssMiB = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;

/** Inside of an arm. */
const runAll = async ({ runs, every, session: more = {}, step = 1 }, say) => {
  const ort = await import('onnxruntime-node');
  const file = join(PROJECT, 'models/spam/model.onnx');
  const session = await ort.InferenceSession.create(file, { ...SESSION, ...more });
  const random = seededRandom(1);
  const longest = Math.min(MOST_TOKENS, Number(process.env.ARENA_MOST_TOKENS ?? MOST_TOKENS));
  let ms = 0;
  let tokens = 0;
  for (let run = 1; run <= runs; run++) {
    const length = Math.round(8 * (longest / 8) ** random());
    const rows = Math.ceil(MOST_ROWS * random() ** 2) || 1;
    const padded = Math.min(longest, Math.ceil(length / step) * step);
    const feed = (value) =>
      new ort.Tensor('int64', new BigInt64Array(rows * padded).fill(value), [rows, padded]);
    const feeds = { input_ids: feed(5n), attention_mask: feed(1n), token_type_ids: feed(0n) };
    const startedAt = performance.now();
    await session.run(feeds);
    ms += performance.now() - startedAt;
    tokens += rows * length;
    if (run % every === 0 || run === 100) say({ run, mib: rssMiB() });
  }
  say({ msPerThousandTokens: (1000 * ms) / tokens });
};

const measure = async (arm) => {
  const child = fork(fileURLToPath(import.meta.url), ['child', JSON.stringify(arm)]);
  const samples = [];
  let cost = NaN;
  child.on('message', (message) => {
    if (message.mib === undefined) cost = message.msPerThousandTokens;
    else samples.push(message);
  });
  await once(child, 'exit');
  return { samples, cost };
};

if (!isMainThread) {
  await runAll(workerData, (message) => parentPort.postMessage(message));
} else if (process.argv[2] === 'child') {
  const arm = JSON.parse(process.argv[3]);
  const say = (message) => process.send(message);
  if (arm.kind === 'process') await runAll(arm, say);
  else {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: arm });
    worker.on('message', say);
    await once(worker, 'exit');
  }
  process.disconnect();
} else {
  const options = readOptions({ runs: 10_000 });
  const about = machine();
  const every = Math.max(1, Math.floor(options.runs / 10));
  const results = {};
  for (const [name, arm] of Object.entries(ARMS)) {
    results[name] = await measure({ ...arm, runs: options.runs, every });
    console.error(name, results[name].samples.at(-1)?.mib, results[name].cost);
  }
  const at = ({ samples }, run) => samples.find((sample) => sample.run === run)?.mib ?? NaN;
  const rows = Object.entries(results).map(([arm, one]) => ({
    arm,
    'MiB after 100 runs': at(one, 100),
    'after a tenth': at(one, every),
    'after half': at(one, 5 * every),
    'after all': one.samples.at(-1)?.mib ?? NaN,
    'ms per 1,000 tokens': one.cost,
  }));
  report({
    name: 'arena',
    title: `Memory over ${options.runs} runs of many shapes`,
    machine: about,
    sections: [['Resident memory of the process', table(rows)]],
    data: { options, results },
    isDry: options.dry,
  });
}
