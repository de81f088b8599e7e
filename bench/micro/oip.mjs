/**
 * What the Open Inference Protocol adds to a run, for a 1×3×224×224 image. After `npm run build`:
 *
 *   node bench/micro/oip.mjs [--from <folder of a model>] [--model mobilenetv2] [--rounds 60] [--dry]
 *
 * `--from` copies a model's folder to bench/models first. In turn, one at a time: the model's own run in this process;
 * a binary request and a JSON one over HTTP, from another process; the same bytes to a server that only receives them
 * (what Node's HTTP takes by itself); `JSON.parse` of the body alone and the whole parser on it.
 */
import { cpSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { createGateway } from '../../dist/src/index.js';
import { parseBody } from '../../dist/src/protocol/parse.js';
import { machine, PROJECT } from '../lib/machine.mjs';
import { readOptions } from '../lib/options.mjs';
import { startPoster } from '../lib/poster.mjs';
import { report, table } from '../lib/report.mjs';
import { median } from '../lib/stats.mjs';

const options = readOptions({ from: '', model: 'mobilenetv2', rounds: 60 });
const WARM_UP_ROUNDS = 5;
const GOAL_BINARY = 1.3;
const GOAL_JSON = 3;
const MODELS = join(PROJECT, 'bench', 'models');
const SHAPE = [1, 3, 224, 224];

const about = machine();
if (options.from !== '') cpSync(options.from, join(MODELS, options.model), { recursive: true });

const image = Float32Array.from({ length: SHAPE.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * 0.01));
const THREADS = 1;
const session = await ort.InferenceSession.create(join(MODELS, options.model, 'model.onnx'), {
  intraOpNumThreads: THREADS,
  interOpNumThreads: 1,
});
const [name] = session.inputNames;
const [output] = session.outputNames;

const gateway = createGateway({
  server: { port: 0 },
  log: { level: 'silent' },
  lanes: { count: 1, intraOpThreads: THREADS },
  batching: { calibrate: 'off' },
  models: { root: MODELS, load: [options.model] },
});
const { port } = await gateway.listen();

/** Takes a body in, and answers with as many bytes as the gateway does. */
const receiver = createServer((req, res) => {
  const chunks = [];
  req
    .on('data', (chunk) => chunks.push(chunk))
    .on('end', () => {
      Buffer.concat(chunks);
      res.end(Buffer.alloc(4_200));
    });
}).listen(0, '127.0.0.1');
await once(receiver, 'listening');
const poster = await startPoster();

const bytes = new Uint8Array(image.buffer);
const head = Buffer.from(
  JSON.stringify({
    inputs: [{ name, shape: SHAPE, datatype: 'FP32', parameters: { binary_data_size: bytes.byteLength } }],
    parameters: { binary_data_output: true },
  }),
);
const binaryBody = Buffer.concat([head, bytes]);
const headers = { 'Inference-Header-Content-Length': head.byteLength };
const jsonOf = (data) => JSON.stringify({ inputs: [{ name, shape: SHAPE, datatype: 'FP32', data }] });
const flatText = jsonOf([...image]);
const nestedText = jsonOf([
  Array.from({ length: 3 }, (_, c) =>
    Array.from({ length: 224 }, (_, y) => [...image.subarray((c * 224 + y) * 224, (c * 224 + y + 1) * 224)]),
  ),
]);

const path = `/v2/models/${options.model}/infer`;
poster.add('binary', { port, path, headers, body: binaryBody });
poster.add('json', { port, path, headers: {}, body: flatText });
poster.add('receive', { port: receiver.address().port, path: '/', headers: {}, body: binaryBody });

const tensor = new ort.Tensor('float32', image, SHAPE);
const expected = (await session.run({ [name]: tensor }))[output].data;
const check = (values, what) => {
  const off = Math.max(...expected.map((value, i) => Math.abs(value - values[i])));
  if (values.length !== expected.length || !(off < 1e-4))
    throw new Error(`${what}: wrong answer, off by ${off}`);
};
const answerOfBinary = ({ headers: got, bytes: all }) => {
  const from = Number(got['inference-header-content-length']);
  return new Float32Array(Uint8Array.from(all.subarray(from)).buffer);
};

const signature = {
  inputs: [{ name, dtype: 'float32', shape: ['N', 3, 224, 224] }],
  outputs: [{ name: output, dtype: 'float32', shape: ['N', 1000] }],
};
const view = { name: options.model, signature, takesTexts: false, maxRows: 10_000 };
const parse = (text) => parseBody({ route: 'oip', bytes: Buffer.from(text), view });

const WHAT = {
  'own run': () => session.run({ [name]: tensor }),
  'binary request': () => poster.post('binary'),
  'the same bytes, received only': () => poster.post('receive'),
  'JSON request': () => poster.post('json'),
  'JSON.parse, flat': () => JSON.parse(Buffer.from(flatText).toString()),
  'parser, flat': () => parse(flatText),
  'JSON.parse, nested': () => JSON.parse(Buffer.from(nestedText).toString()),
  'parser, nested': () => parse(nestedText),
};
check(answerOfBinary(await WHAT['binary request']()), 'binary');
check(JSON.parse((await WHAT['JSON request']()).bytes.toString()).outputs[0].data, 'JSON');

const times = Object.fromEntries(Object.keys(WHAT).map((what) => [what, []]));
for (let round = -WARM_UP_ROUNDS; round < options.rounds; round++)
  for (const [what, run] of Object.entries(WHAT)) {
    const startedAt = performance.now();
    const done = await run();
    if (round >= 0) times[what].push(done?.ms ?? performance.now() - startedAt);
  }
poster.stop();
receiver.close();
await gateway.close();

const ms = Object.fromEntries(Object.entries(times).map(([what, all]) => [what, median(all)]));
const ratio = (a, b) => ms[a] / ms[b];
const binary = ratio('binary request', 'own run');
const flat = ratio('parser, flat', 'JSON.parse, flat');
const nested = ratio('parser, nested', 'JSON.parse, nested');
const verdict =
  `binary request ${binary.toFixed(2)}× the model's own run (goal ${GOAL_BINARY}; HTTP alone would be ` +
  `${(1 + ratio('the same bytes, received only', 'own run')).toFixed(2)}×); ` +
  `parsing JSON ${flat.toFixed(2)}× (flat) and ${nested.toFixed(2)}× (nested) JSON.parse alone (goal ${GOAL_JSON}): ` +
  (binary <= GOAL_BINARY && flat <= GOAL_JSON && nested <= GOAL_JSON ? 'met' : 'NOT met');
report({
  name: 'oip',
  title: 'Open Inference Protocol: what it adds to a run',
  machine: about,
  sections: [
    ['Median, milliseconds', table(Object.entries(ms).map(([what, value]) => ({ what, ms: value })))],
    [
      'Bodies, bytes',
      table([{ binary: binaryBody.length, 'flat JSON': flatText.length, 'nested JSON': nestedText.length }]),
    ],
  ],
  verdict,
  data: { ms, binary, flat, nested },
  isDry: options.dry,
});
