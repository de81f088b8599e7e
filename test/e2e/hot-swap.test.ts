import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { FIXTURES, SHIPPED_MODELS, startGateway, tempModelRoot } from '../support/start-gateway.js';
import type { Running, TempFolder } from '../support/start-gateway.js';

const SWAPS = 12;
/** Enough text for the codec thread, so that a swap finds requests in the middle of being encoded. */
const TEXTS = Array.from(
  { length: 300 },
  (_, i) => `the table at window ${i} is booked for eight, number ${i * 7}`,
);

let root: TempFolder;
let running: Running;

beforeAll(async () => {
  const tokenizer = await readFile(path.join(SHIPPED_MODELS, 'spam/tokenizer.json'));
  const model = await readFile(path.join(FIXTURES, 'tiny_text.onnx'));
  const version = (name: string): Record<string, string | Uint8Array> => ({
    [`${name}/model.yaml`]: `task: text-classification\nlabels: [${name}, ${name}]\ntext: {maxTokens: 64}\n`,
    [`${name}/tokenizer.json`]: tokenizer,
    [`${name}/model.onnx`]: model,
  });
  root = await tempModelRoot({ ...version('left'), ...version('right') });
  // Small batches, so that an answer in lines has many slices.
  running = await startGateway({ models: { root: root.path, load: [] }, batching: { maxBatch: 16 } });
});
afterAll(async () => {
  await running.close();
  await root.remove();
});

/** Sends a body of which the last byte comes after a while, once the swap has gone on. */
const askSlowly = (body: string, pauseMs: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const req = request(`${running.url}/v1/models/text/infer`, { method: 'POST', headers }, (res) => {
      res.resume();
      res.on('end', () => resolve(res.statusCode ?? 0));
    });
    req.on('error', reject);
    req.write(body.slice(0, -1));
    setTimeout(() => req.end(body.slice(-1)), pauseMs);
  });

describe(`${SWAPS} swaps under load`, () => {
  it('fail no request, of texts or of tensors, whatever stage it is in', async () => {
    const { client } = running;
    await client.load('text', 'left');
    await client.load('rows', 'fixed_batch.onnx');
    const problems: string[] = [];
    const answers = new Set<string>();
    let isOver = false;
    const ask = async (send: () => Promise<string>): Promise<void> => {
      while (!isOver) answers.add(await send());
    };
    const predict = async (): Promise<string> => {
      const { status, body, text } = await client.post('/predict', { model: 'text', texts: TEXTS });
      const labels = ((body.predictions ?? []) as readonly { label: string }[]).map(({ label }) => label);
      if (status !== 200 || labels.length !== TEXTS.length || new Set(labels).size !== 1)
        problems.push(`predict ${status} ${text.slice(0, 200)}`);
      return labels[0] ?? '';
    };
    const infer = async (): Promise<string> => {
      const { status, text } = await client.post('/v1/models/text/infer', { texts: TEXTS.slice(0, 5) });
      if (status !== 200) problems.push(`infer ${status} ${text.slice(0, 200)}`);
      return 'infer';
    };
    const rows = async (): Promise<string> => {
      const { status, body, text } = await client.infer('rows', [[1, 1, 1]]);
      if (status !== 200) problems.push(`rows ${status} ${text.slice(0, 200)}`);
      return JSON.stringify(body.outputs);
    };
    const slowly = async (): Promise<string> => {
      const status = await askSlowly(JSON.stringify({ texts: TEXTS.slice(0, 3) }), 50);
      if (status !== 200) problems.push(`slowly ${status}`);
      return 'slowly';
    };
    const lines = async (): Promise<string> => {
      const headers = { accept: 'application/x-ndjson' };
      const body = { model: 'text', texts: TEXTS };
      const { status, text } = await client.send({ method: 'POST', path: '/predict', body, headers });
      const labels = new Set(Array.from(text.matchAll(/"label":"(\w+)"/g), ([, label]) => label));
      const count = text.split('\n').length - 1;
      if (status !== 200 || count !== TEXTS.length || labels.size !== 1 || text.includes('"error"'))
        problems.push(`lines ${status} ${count} ${text.slice(-200)}`);
      return 'lines';
    };
    const tokens = async (): Promise<string> => {
      const inputs = [...TEXTS, ...TEXTS, ...TEXTS];
      const { status, text } = await client.post('/tokenize', { model: 'text', inputs });
      if (status !== 200) problems.push(`tokens ${status} ${text.slice(0, 200)}`);
      return 'tokens';
    };
    const load = [lines, tokens, predict, predict, infer, rows, slowly, slowly].map(ask);
    for (let i = 1; i <= SWAPS; i++) {
      const replies = await Promise.all([
        client.load('text', i % 2 === 0 ? 'left' : 'right'),
        client.load('rows', i % 2 === 0 ? 'fixed_batch.onnx' : 'fixed_one.onnx'),
      ]);
      expect(replies.map(({ status }) => status)).toEqual([200, 200]);
    }
    isOver = true;
    await Promise.all(load);
    expect(problems).toEqual([]);
    expect([...answers].sort()).toEqual(
      ['infer', 'lines', 'tokens', 'left', 'right', 'slowly', '{"y":[[2,2,2]]}', '{"y":[[4,4,4]]}'].sort(),
    );
  }, 120_000);
});
