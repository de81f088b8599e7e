/**
 * `POST /embed` of 1,000 texts as one request, against the best that the same lanes do offline with the same texts: all known,
 * sorted by length, cut by one row limit and one token limit, the best of a grid, no HTTP, no JSON. In turn, so that whatever
 * else the machine does hits both. After `npm run build` and bench/make-models.py, on an idle machine:
 *
 *   node bench/embed.mjs [--texts 1000] [--rounds 7] [--fewestWords 4] [--mostWords 64] [--sloMs auto] [--dry]
 *
 * Many texts are bulk: a run of theirs may take an eighth of the SLO, so that others wait little; `--sloMs 5000`
 * shows what that costs.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { makeCostCache } from './lib/arms.mjs';
import { assembleLibrary } from './lib/library.mjs';
import { machine, PROJECT } from './lib/machine.mjs';
import { bestLimits, offlineOf } from './lib/offline.mjs';
import { readOptions } from './lib/options.mjs';
import { report, table } from './lib/report.mjs';
import { listening, startCarpool } from './lib/servers.mjs';
import { median } from './lib/stats.mjs';
import { sentences } from './lib/workloads.mjs';

const options = readOptions({ texts: 1_000, rounds: 7, fewestWords: 4, mostWords: 64, sloMs: 'auto' });
const MODEL = 'embedder6';
const ROOT = 'bench/models';
const GOAL = 1.1;
/** Of elements of vectors of length 1. */
const TOLERANCE = 1e-4;
const WARM_REQUESTS = 2;
/** Requests run into this only where something is wrong. */
const TIMEOUT_MS = 600_000;

if (!existsSync(join(PROJECT, ROOT, MODEL, 'model.onnx')))
  throw new Error(`${ROOT}/${MODEL} is not there: run bench/make-models.py (see bench/README.md)`);

const about = machine();
const texts = sentences(options.texts, options.fewestWords, options.mostWords, 1);

const cache = await makeCostCache();
const server = await startCarpool([
  ...['--set', `models.root=${join(PROJECT, ROOT)}`, '--set', `models.load=[${MODEL}]`],
  ...['--set', `models.default=${MODEL}`, '--set', `models.cacheDir=${cache.folder}`],
  ...[
    '--set',
    'batching.calibrate=eager',
    '--set',
    `batching.sloMs=${options.sloMs}`,
    '--set',
    `batching.timeoutMs=${TIMEOUT_MS}`,
  ],
]);
const library = await assembleLibrary({ isolation: 'thread', models: [MODEL], root: ROOT });

const body = JSON.stringify({ inputs: texts });
/** Until the last byte of the answer is here. */
const embed = async () => {
  const startedAt = performance.now();
  const response = await fetch(`http://127.0.0.1:${server.port}/embed`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const answer = await response.text();
  const totalMs = performance.now() - startedAt;
  if (response.status !== 200) throw new Error(`/embed: ${response.status} ${answer.slice(0, 200)}`);
  return { totalMs, vectors: JSON.parse(answer) };
};

const assertSame = (vectors, wanted) => {
  for (const [i, vector] of wanted.entries())
    for (const [at, value] of vector.entries())
      if (!(Math.abs(vectors[i][at] - value) <= TOLERANCE))
        throw new Error(`text ${i}, element ${at}: expected ${value}, got ${vectors[i][at]}`);
};

const rounds = [];
let limits;
try {
  await listening(server);
  for (let i = 0; i < WARM_REQUESTS; i++) await embed();
  const offline = offlineOf(library, texts);
  limits = await bestLimits(offline);
  for (let round = 0; round < options.rounds; round++) {
    const theirs = await offline(limits);
    const ours = await embed();
    assertSame(ours.vectors, theirs.vectors);
    rounds.push({ encodeMs: theirs.encodeMs, runMs: theirs.runMs, embedMs: ours.totalMs });
  }
} finally {
  await Promise.all([server.stop(), library.close()]);
  await cache.remove();
}

const of = (key) => median(rounds.map((round) => round[key]));
const [encodeMs, runMs, embedMs] = ['encodeMs', 'runMs', 'embedMs'].map(of);
const ratio = median(rounds.map((round) => round.embedMs / (round.encodeMs + round.runMs)));
const rows = [
  { what: 'offline: tokenising', ms: encodeMs, 'against offline': '' },
  {
    what: `offline: runs of ${limits.rows} rows, ${limits.tokens} tokens at most`,
    ms: runMs,
    'against offline': '',
  },
  { what: 'offline', ms: encodeMs + runMs, 'against offline': '1×' },
  { what: 'POST /embed, one request', ms: embedMs, 'against offline': `${ratio.toFixed(3)}×` },
];

report({
  name: 'embed',
  title: `/embed of ${options.texts} texts as one request, against offline batching`,
  machine: about,
  sections: [
    [
      `Medians of ${options.rounds} rounds in turn, ${library.lanes} lanes each, ${options.fewestWords} to ${options.mostWords} words, vectors compared`,
      table(rows),
    ],
  ],
  verdict: `${ratio.toFixed(3)}× of the best offline batching, tokenising included; without it ${(embedMs / runMs).toFixed(3)}×. Goal: ${GOAL}×, ${ratio <= GOAL ? 'reached' : 'missed'}`,
  data: { options, limits, rounds, ratio },
  isDry: options.dry,
});
