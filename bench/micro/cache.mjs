/**
 * Is a cached answer quicker than a run? One request at a time over HTTP, new inputs and known ones in turn; and what the
 * cache itself takes: the key, and the answer's unpacking. After `npm run build`:
 *
 *   node bench/micro/cache.mjs [--rounds 300] [--dry]
 */
import { Agent, request } from 'node:http';
import { itemKey } from '../../dist/src/cache/item-key.js';
import { packOutputs, unpackOutputs } from '../../dist/src/cache/pack-outputs.js';
import { createGateway } from '../../dist/src/index.js';
import { machine } from '../lib/machine.mjs';
import { readOptions } from '../lib/options.mjs';
import { report, table } from '../lib/report.mjs';
import { median } from '../lib/stats.mjs';
import { fraudQuestions, sentences } from '../lib/workloads.mjs';

const options = readOptions({ rounds: 300 });
const WARM_UP = 30;
const about = machine();

const gateway = createGateway({
  server: { port: 0 },
  log: { level: 'silent' },
  lanes: { count: 1, intraOpThreads: 1 },
  batching: { calibrate: 'off' },
  cache: { enabled: true },
});
const { host, port } = await gateway.listen();
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

const ask = (path, body, expected) =>
  new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const req = request({ agent, host, port, method: 'POST', path, headers }, (res) => {
      res.resume().on('end', () => {
        const said = res.headers['x-carpool-cache'];
        if (said === expected) resolve(performance.now() - startedAt);
        else reject(new Error(`${path}: ${res.statusCode}, cache ${said}, expected ${expected}`));
      });
    });
    req.on('error', reject).end(body);
  });

/** @param bodyOf the body of a number: another for each */
const compare = async (what, path, bodyOf) => {
  const times = { miss: [], hit: [] };
  for (let i = 0; i < WARM_UP + options.rounds; i++)
    for (const kind of ['miss', 'hit']) {
      const ms = await ask(path, bodyOf(i), kind);
      if (i >= WARM_UP) times[kind].push(ms);
    }
  const [miss, hit] = [median(times.miss), median(times.hit)];
  return {
    request: what,
    'run ms': miss.toFixed(3),
    'cached ms': hit.toFixed(3),
    'run ÷ cached': miss / hit,
  };
};

const count = WARM_UP + options.rounds;
const short = sentences(count, 5, 12, 1);
const long = sentences(count, 90, 100, 2);
const [fraud] = fraudQuestions();
const { inputs } = JSON.parse(fraud.body);
const rows = [];
try {
  const texts = (list) => (i) => JSON.stringify({ texts: [`${list[i]} ${i}`] });
  rows.push(await compare('a short text', '/predict', texts(short)));
  rows.push(await compare('a text of 100 words', '/predict', texts(long)));
  const row = (i) => JSON.stringify({ inputs: [inputs[0].map((value, j) => (j === 0 ? i : value))] });
  rows.push(await compare('a row of 30 numbers', fraud.path, row));
} finally {
  agent.destroy();
  await gateway.close();
}

const microseconds = (work) => {
  const times = [];
  for (let round = 0; round < 50; round++) {
    const startedAt = performance.now();
    for (let i = 0; i < 100; i++) work();
    times.push((performance.now() - startedAt) * 10);
  }
  return median(times);
};
const own = (what, payload, size) => {
  const outputs = [{ dtype: 'float32', dims: [1, size], data: new Float32Array(size) }];
  const signature = { inputs: [], outputs: [{ name: 'y', dtype: 'float32', shape: [1, size] }] };
  const packed = packOutputs({ outputs });
  return {
    'input, output': `${what}, ${size} floats`,
    'key µs': microseconds(() => itemKey('fingerprint', payload)),
    'pack µs': microseconds(() => packOutputs({ outputs })),
    'unpack µs': microseconds(() => unpackOutputs(packed, signature, 1)),
  };
};
const tensor = (size) => ({
  kind: 'tensors',
  rows: 1,
  inputs: [{ dtype: 'float32', dims: [1, size], data: new Float32Array(size) }],
});
const costs = [
  own('20 tokens', { kind: 'text', ids: new Int32Array(20) }, 2),
  own('512 tokens', { kind: 'text', ids: new Int32Array(512) }, 384),
  own('512 tokens', { kind: 'text', ids: new Int32Array(512) }, 512 * 384),
  own('an image of 3×224×224', tensor(3 * 224 * 224), 1000),
];

const slower = rows.filter((row) => row['run ÷ cached'] < 1);
report({
  name: 'cache',
  title: 'Response cache: a known input against a new one',
  machine: about,
  sections: [
    ['Over HTTP, one request at a time, median', table(rows)],
    ['The cache alone, per item', table(costs)],
  ],
  verdict:
    slower.length === 0
      ? 'met: no cached answer is slower than a run'
      : `SHORT: slower: ${slower.map((row) => row.request).join(', ')}`,
  data: { options, rows, costs },
  isDry: options.dry,
});
if (slower.length > 0) process.exitCode = 1;
