import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { HttpClient } from '../support/http-client.js';
import {
  FIXTURES,
  SHIPPED_MODELS,
  startGateway,
  tempModelRoot,
  type Running,
} from '../support/start-gateway.js';

const textModel = (folder: string, file: string): Record<string, string | Uint8Array> => ({
  [`${folder}/model.yaml`]: `task: text-classification\nfile: ${file}\nlabels: ['no', 'yes']\ntext: { maxTokens: 64 }\n`,
  [`${folder}/${file}`]: readFileSync(path.join(FIXTURES, file)),
  [`${folder}/tokenizer.json`]: readFileSync(path.join(SHIPPED_MODELS, 'spam/tokenizer.json')),
});

let running: Running;
let client: HttpClient;
let removeRoot: () => Promise<void>;

beforeAll(async () => {
  const root = await tempModelRoot({
    ...textModel('texts', 'tiny_text.onnx'),
    ...textModel('leaky_texts', 'tiny_text_leaky.onnx'),
  });
  removeRoot = root.remove;
  running = await startGateway({ models: { root: root.path, load: ['fraud_detector'] } });
  ({ client } = running);
});
afterAll(async () => {
  await running.close();
  await removeRoot();
});

describe('a model whose rows can not be joined', () => {
  it.each([
    ['no_batch_out', 'no_batch_out.onnx', "output 'mean' has no batch dimension"],
    ['leaky', 'leaky.onnx', "output 'y' of a row changes by"],
    ['scalar_input', 'scalar_input.onnx', "input 'scale' has first dimension 1"],
    ['int8', 'rows_int8.onnx', "output 'y' of a row changes by"],
  ])('%s says why', async (name, file, reason) => {
    await client.load(name, file);
    const { batch } = (await client.get(`/v1/models/${name}`)).body;
    expect(batch?.mode).toBe('single');
    expect(batch?.reason).toContain(reason);
  });

  it('runs each request by itself', async () => {
    await client.load('leaky', 'leaky.onnx');
    const replies = await Promise.all(
      Array.from({ length: 60 }, (_, n) => client.infer('leaky', [[0, 0, 0], [n, 2 * n, -2 * n]])), // prettier-ignore
    );
    expect(replies.map(({ body }) => body.outputs?.['y'])).toEqual(
      replies.map((_, n) => [[0 - n / 2, 0 - n, n], [n / 2, n, 0 - n]]), // prettier-ignore
    );
  });
});

describe('rows of many callers', () => {
  it('come out in order, in chunks of a fixed batch', async () => {
    await client.load('fixed_batch', 'fixed_batch.onnx');
    const counts = Array.from({ length: 50 }, (_, i) => 1 + (i % 7));
    const rows = counts.map((count, i) => Array.from({ length: count }, (_, r) => [i, r, 0]));
    const replies = await Promise.all(rows.map((inputs) => client.infer('fixed_batch', inputs)));
    expect(replies.map(({ body }) => body.outputs?.['y'])).toEqual(
      rows.map((inputs) => inputs.map((values) => values.map((x) => 3 * x + 1))),
    );
    expect(await client.metric('carpool_batch_rows_bucket{le="4",model="fixed_batch"}')).toBe(
      await client.metric('carpool_batch_rows_count{model="fixed_batch"}'),
    );
  });

  it('of different tail shapes are not mixed up', async () => {
    await client.load('dyn_tail', 'dyn_tail.onnx');
    const asks = Array.from({ length: 60 }, (_, i) => Array.from({ length: 1 + (i % 5) }, () => [i, 1]));
    const replies = await Promise.all(asks.map((steps) => client.infer('dyn_tail', [steps])));
    expect(replies.map(({ body }) => body.outputs?.['y'])).toEqual(
      asks.map((steps, i) => [[i * steps.length, steps.length]]),
    );
  });
});

it.each([
  ['texts', 'any'],
  // Its mask has no effect, so that padding would change the answers.
  ['leaky_texts', 'equal-lengths'],
])('a folder with a card takes texts, together as alone: %s', async (name, cls) => {
  await client.load(name, name);
  expect((await client.get(`/v1/models/${name}`)).body.batch).toMatchObject({ invariance: { class: cls } });
  const texts = ['hi', 'the table at the window', 'a much longer text, so that the short ones are filled up'];
  const ask = async (some: readonly string[]): Promise<unknown[]> => {
    const { body } = await client.post('/predict', { model: name, texts: some, scores: true });
    return [...(body.predictions ?? [])];
  };
  const alone = await Promise.all(texts.map((text) => ask([text])));
  expect(alone.flat()).toMatchObject(texts.map(() => ({ label: expect.stringMatching(/^(no|yes)$/) })));
  expect(await ask(texts)).toEqual(alone.flat());
});
