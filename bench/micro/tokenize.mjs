/**
 * What the thresholds of src/codec rest on, and what they achieve. After `npm run build`:
 *
 *   node bench/micro/tokenize.mjs [model folder, default models/spam]
 *
 * 1. tokenising on the event loop: the worst texts that are still "small";
 * 2. the same texts through the codec thread: what a round trip adds;
 * 3. parsing and rendering at their thresholds;
 * 4. the largest stall of the event loop while large input is worked on: the target is below 10 ms.
 */
import { openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { CodecThread } from '../../dist/src/codec/codec-thread.js';
import { Codec } from '../../dist/src/codec/codec.js';
import { createJobs } from '../../dist/src/codec/jobs.js';
import { renderBody } from '../../dist/src/codec/render.js';

const RUNS = 7;
const MAX_TOKENS = 128;
const folder = process.argv[2] ?? new URL('../../models/spam', import.meta.url).pathname;
const json = readFileSync(join(folder, 'tokenizer.json'), 'utf8');

const filled = (unit, length) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
const WORDS = 'please send me the signed report by friday afternoon thanks ';
const UNITS = {
  words: WORDS,
  'one letter': 'a',
  'junk words of 99 letters': `${filled('qxzjqvwkxj', 99)} `,
  'words of 99 digits': `${'7'.repeat(99)} `,
  CJK: '你好世界今天天气很好',
  Hangul: '한국어 텍스트',
  emoji: '😀🎉👍🏽',
  punctuation: '.,;!',
  'combining marks': 'a\u0301\u0302',
  spaces: ' ',
};

const sorted = (values) => [...values].sort((a, b) => a - b);
const median = (values) => sorted(values)[values.length >> 1];

/**
 * Milliseconds that this thread has stood in line for a core, as Linux counts them: taken off all times of the event
 * loop, so that a busy machine does not pass for a slow program.
 */
const waitedMs = (() => {
  let file;
  try {
    file = openSync(`/proc/${process.pid}/task/${process.pid}/schedstat`);
  } catch {
    return () => 0;
  }
  const buffer = Buffer.alloc(128);
  return () => Number(buffer.toString('latin1', 0, readSync(file, buffer, 0, 128, 0)).split(' ')[1]) / 1e6;
})();
const ownNow = () => {
  for (;;) {
    const waited = waitedMs();
    const now = performance.now();
    // Standing in line between the two readings would be counted twice.
    if (waitedMs() === waited) return now - waited;
  }
};

const timesMs = async (runs, fn) => {
  const times = [];
  for (let run = 0; run < runs; run++) {
    const startedAt = ownNow();
    await fn();
    times.push(ownNow() - startedAt);
  }
  return times;
};

/** Longest time between two turns of the event loop while `fn` is under way. */
const stallMs = async (fn) => {
  let worst = 0;
  let last = ownNow();
  let watching = true;
  const turn = () => {
    const now = ownNow();
    worst = Math.max(worst, now - last);
    last = now;
    if (watching) setImmediate(turn);
  };
  setImmediate(turn);
  await fn();
  await new Promise((resolve) => setImmediate(resolve));
  watching = false;
  return worst;
};

const row = (...cells) =>
  console.log(cells.map((cell, i) => String(cell).padEnd(i === 0 ? 44 : 12)).join(''));
const ms = (value) => value.toFixed(2);

const thread = new CodecThread();
const codec = new Codec(thread);
await codec.start();
const { inlineChars } = await codec.openTokenizer('bench', { json });
const jobs = createJobs();
jobs.openTokenizer({ key: 'bench', json });
const encodeHere = (texts, truncate) =>
  jobs.encode({ key: 'bench', texts, truncate, maxTokens: truncate ? MAX_TOKENS : 1e9 });

console.log(`\n1. One text of ${inlineChars} characters on the event loop, ms`);
row('', 'whole', 'slowest', `cut to ${MAX_TOKENS}`);
for (const [name, unit] of Object.entries(UNITS)) {
  const texts = [filled(unit, inlineChars)];
  const whole = await timesMs(20, () => encodeHere(texts, false));
  const cut = await timesMs(20, () => encodeHere(texts, true));
  row(name, ms(median(whole)), ms(Math.max(...whole)), ms(median(cut)));
}
row('10,000 empty texts', ms(median(await timesMs(5, () => encodeHere(Array(10_000).fill(''), true)))));

console.log('\n2. English: on the event loop against through the thread, ms');
row('characters', 'loop', 'thread', 'added');
for (const length of [60, 250, 1_000, 4_000, 16_000]) {
  const texts = [filled(WORDS, length)];
  const input = { key: 'bench', texts, truncate: false, maxTokens: 1e9 };
  const here = median(await timesMs(300, () => jobs.encode(input)));
  const there = median(await timesMs(300, () => thread.run('encode', input)));
  row(length, here.toFixed(3), there.toFixed(3), (there - here).toFixed(3));
}

const spec = (name, dtype, shape) => ({ name, dtype, shape });
const viewOf = (dtype, shape) => ({
  name: 'bench',
  signature: { inputs: [spec('x', dtype, shape)], outputs: [spec('y', 'float32', ['N', 'M'])] },
  takesTexts: false,
  maxRows: 1_000_000,
});
const numbers = (count, of) => Array.from({ length: count }, (_, i) => of(i));
const rowsBody = (rows, columns, of) =>
  Buffer.from(JSON.stringify({ inputs: numbers(rows, (r) => numbers(columns, (c) => of(r * columns + c))) }));
const image = () => {
  const plane = () => numbers(224, (y) => numbers(224, (x) => Math.fround(Math.sin(y * 224 + x))));
  return Buffer.from(JSON.stringify({ inputs: [[plane(), plane(), plane()]] }));
};
const textsBody = (texts) => Buffer.from(JSON.stringify({ texts }));
const infoOf = (task) => ({
  name: 'bench',
  card: { version: '1', task },
  signature: { inputs: [], outputs: [spec('y', 'float32', ['N', 'M'])] },
  batch: { mode: 'dynamic' },
  batching: {},
  labels: ['ham', 'spam'],
  takesTexts: task !== 'tensor',
  loadedAt: '2026-01-01T00:00:00Z',
});
const resultOf = (items, rows, columns) => {
  const batch = Float32Array.from({ length: items * rows * columns }, (_, i) => Math.sin(i) * 3);
  const size = rows * columns;
  return {
    items: numbers(items, (i) => ({
      outputs: [{ dtype: 'float32', dims: [rows, columns], data: batch.subarray(i * size, (i + 1) * size) }],
    })),
    texts: numbers(items, () => ({ tokens: 12, truncated: false })),
    timings: { encodeMs: 0, queueMs: 0, runMs: 0, batchRows: 1 },
  };
};
const renderInput = (kind, task, result, options = {}) => ({
  kind,
  info: infoOf(task),
  request: { input: { kind: 'texts', texts: [] }, options },
  result,
});

console.log('\n3. Parsing and rendering at their thresholds on the event loop, ms');
row('', 'median', 'slowest');
const floats = rowsBody(100, 33, (i) => Math.sin(i));
const int64s = rowsBody(105, 30, (i) => i);
const exact = Buffer.from(`{"inputs":[${filled('[9007199254740993],', 65_300).replace(/,[^,]*$/, '')}]}`);
const tensors = {
  [`float64 printed whole, ${floats.length} bytes`]: [floats, viewOf('float32', ['N', 33])],
  [`small int64, ${int64s.length} bytes`]: [int64s, viewOf('int64', ['N', 30])],
  [`int64 past 2^53, ${exact.length} bytes`]: [exact, viewOf('int64', ['N', 1])],
  'zeros, 64 KiB': [Buffer.from(`{"inputs":[[${filled('0,', 65_499)}]]}`), viewOf('float32', ['N', 'M'])],
};
for (const [name, [bytes, view]] of Object.entries(tensors)) {
  const times = await timesMs(20, () => jobs.parse({ route: 'infer', bytes, view }));
  row(name, ms(median(times)), ms(Math.max(...times)));
}
const manyTexts = textsBody(Array(16_000).fill('a'));
const parseTimes = await timesMs(20, () => jobs.parse({ route: 'predict', bytes: manyTexts, maxRows: 1e6 }));
row(`16,000 texts, ${manyTexts.length} bytes`, ms(median(parseTimes)), ms(Math.max(...parseTimes)));
for (const [name, input] of Object.entries({
  '20,000 elements': renderInput('infer', 'tensor', resultOf(1, 200, 100)),
  '2,000 predictions': renderInput('predict', 'text-classification', resultOf(2_000, 1, 2)),
  '2,000 predictions with scores': renderInput('predict', 'text-classification', resultOf(2_000, 1, 2), {
    scores: true,
  }),
})) {
  const times = await timesMs(20, () => renderBody(input));
  row(name, ms(median(times)), ms(Math.max(...times)));
}

console.log(`\n4. Large input through the codec: largest event-loop stall of ${RUNS} runs, ms`);
row('', 'smallest', 'median', 'largest', 'whole job');
const encode = (texts, truncate) => () =>
  codec.encode('bench', texts, { maxTokens: truncate ? MAX_TOKENS : 1e9, truncate });
const parse = (bytes, rest) => () => codec.parse({ bytes: Buffer.from(bytes), ...rest });
const tenWords = Array.from({ length: 10_000 }, (_, i) => `${filled(WORDS, 55)} ${i}`);
const imageBody = image();
const large = {
  'nothing (the meter itself)': () => new Promise((resolve) => setTimeout(resolve, 50)),
  ...Object.fromEntries(
    ['words', 'one letter', 'CJK', 'emoji', 'junk words of 99 letters'].flatMap((name) => [
      [`1 MB of ${name}, cut to ${MAX_TOKENS}`, encode([filled(UNITS[name], 1e6)], true)],
      [`1 MB of ${name}, whole`, encode([filled(UNITS[name], 1e6)], false)],
    ]),
  ),
  '10,000 texts of 10 words': encode(tenWords, true),
  '10,000 empty texts': encode(Array(10_000).fill(''), true),
  'parse 10,000 texts of 10 words': parse(textsBody(tenWords), { route: 'predict', maxRows: 1e6 }),
  'parse 1x3x224x224 float32': parse(imageBody, {
    route: 'infer',
    view: viewOf('float32', ['N', 3, 224, 224]),
  }),
  'render 1000x1000 float32': () => codec.render(renderInput('infer', 'tensor', resultA)),
  'render 10,000 predictions': () => codec.render(renderInput('predict', 'text-classification', resultB)),
};
const resultA = resultOf(1, 1_000, 1_000);
const resultB = resultOf(10_000, 1, 2);
for (const [name, fn] of Object.entries(large)) {
  const stalls = [];
  const times = [];
  for (let run = 0; run < RUNS; run++) {
    const startedAt = performance.now();
    stalls.push(await stallMs(fn));
    times.push(performance.now() - startedAt);
  }
  row(name, ms(Math.min(...stalls)), ms(median(stalls)), ms(Math.max(...stalls)), ms(median(times)));
}
await codec.close();
