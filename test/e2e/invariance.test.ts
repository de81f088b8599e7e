import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  FIXTURES,
  SHIPPED_MODELS,
  startGateway,
  tempModelRoot,
  type Running,
  type TempFolder,
} from '../support/start-gateway.js';

/** A folder that serves a fixture as texts; `batching` as YAML. */
const textModel = (
  folder: string,
  fixture: string,
  batching: string,
): Record<string, string | Uint8Array> => ({
  [`${folder}/model.yaml`]: `task: text-classification\nlabels: ['no', 'yes']\ntext: {maxTokens: 64}\nbatching: ${batching}\n`,
  [`${folder}/model.onnx`]: readFileSync(path.join(FIXTURES, `${fixture}.onnx`)),
  [`${folder}/tokenizer.json`]: readFileSync(path.join(SHIPPED_MODELS, 'spam/tokenizer.json')),
});

const MODELS = ['int8', 'int8_warned', 'int8_unmeasured', 'unmasked', 'masked'];

let root: TempFolder;
let running: Running;

/** First come, first served: what waits rides together whatever it costs, where it may. */
beforeAll(async () => {
  root = await tempModelRoot({
    ...textModel('int8', 'tiny_text_int8', '{}'),
    ...textModel('int8_warned', 'tiny_text_int8', '{batchInvariance: warn}'),
    ...textModel('int8_unmeasured', 'tiny_text_int8', '{batchInvariance: off}'),
    ...textModel('unmasked', 'tiny_text_leaky', '{}'),
    ...textModel('masked', 'tiny_text', '{}'),
  });
  running = await startGateway({
    lanes: { count: 1 },
    batching: { composition: 'fifo' },
    models: { root: root.path, load: MODELS },
  });
});
afterAll(async () => {
  await running.close();
  await root.remove();
});

const WORDS = 'we meet at the old bridge when it is dark and nobody else can see us there again'.split(' ');
/** Of 16 lengths, each three times, no two alike. */
const TEXTS = Array.from({ length: 48 }, (_, i) =>
  Array.from({ length: 1 + (i % 16) }, (_word, at) => WORDS[(i * 5 + at * 3) % WORDS.length]).join(' '),
);

const logitsOf = async (model: string, texts: readonly string[]): Promise<unknown[]> => {
  const { status, body } = await running.client.post(`/v1/models/${model}/infer`, { texts });
  expect(status).toBe(200);
  const logits = body.outputs?.['logits'];
  return Array.isArray(logits) ? [...(logits as readonly unknown[])] : [];
};

const alone = async (model: string): Promise<unknown[]> => {
  const answers: unknown[] = [];
  for (const text of TEXTS) answers.push(...(await logitsOf(model, [text])));
  return answers;
};

interface Debug {
  readonly models: readonly {
    readonly name: string;
    readonly batch: { readonly invariance?: { readonly class: string } };
    readonly decisions: readonly {
      readonly rows: number;
      readonly tokens: number;
      readonly paddedTokens: number;
    }[];
  }[];
}

const debugOf = async (name: string): Promise<Debug['models'][number]> => {
  const { text } = await running.client.get('/debug/batcher');
  // The route's own shape; every use below is a check of it.
  const model = (JSON.parse(text) as Debug).models.find((each) => each.name === name);
  if (model === undefined) throw new Error(`no ${name} in /debug/batcher`);
  return model;
};

/** All texts at once: in one request, and from as many callers. */
const crowd = async (model: string): Promise<{ request: unknown[]; callers: unknown[] }> => {
  const request = await logitsOf(model, TEXTS);
  const callers = await Promise.all(TEXTS.map((text) => logitsOf(model, [text])));
  return { request, callers: callers.flat() };
};

describe('a dynamically quantised model', () => {
  it('is caught, and says what leaks', async () => {
    const { body } = await running.client.get('/v1/models/int8');
    expect(body.batch).toMatchObject({
      mode: 'single',
      reason: expect.stringMatching(/^output 'logits' of a row changes by up to/) as unknown,
      invariance: { class: 'one-by-one', enforced: true, tolerance: 1e-4, outputs: [{ name: 'logits' }] },
    });
  });

  it('answers in a crowd exactly as alone', async () => {
    const expected = await alone('int8');
    const { request, callers } = await crowd('int8');
    expect(request).toEqual(expected);
    expect(callers).toEqual(expected);
    expect((await debugOf('int8')).decisions.every(({ rows }) => rows === 1)).toBe(true);
  });

  it('takes many texts in one request', async () => {
    const { status, body } = await running.client.post('/predict', { model: 'int8', texts: TEXTS });
    expect([status, body.predictions?.length]).toEqual([200, TEXTS.length]);
  });

  it('is joined all the same where that is wanted, and the harm is shown', async () => {
    const expected = await alone('int8_warned');
    const { request } = await crowd('int8_warned');
    expect(request).not.toEqual(expected);
    const { batch, decisions } = await debugOf('int8_warned');
    expect(decisions.some(({ rows }) => rows > 1)).toBe(true);
    expect(batch).toMatchObject({
      mode: 'dynamic',
      reason: expect.stringContaining('changes by up to') as unknown,
      invariance: { class: 'one-by-one', enforced: false },
    });
  });

  it('is not looked at where that is wanted', async () => {
    await crowd('int8_unmeasured');
    const { batch, decisions } = await debugOf('int8_unmeasured');
    expect(batch).toEqual({ mode: 'dynamic' });
    expect(decisions.some(({ rows }) => rows > 1)).toBe(true);
  });
});

describe('a model that padding changes', () => {
  it('joins texts of equal length only, and answers as alone', async () => {
    const expected = await alone('unmasked');
    const { request, callers } = await crowd('unmasked');
    expect(request).toEqual(expected);
    expect(callers).toEqual(expected);
    const { batch, decisions } = await debugOf('unmasked');
    expect(batch.invariance?.class).toBe('equal-lengths');
    expect(decisions.some(({ rows }) => rows > 1)).toBe(true);
    for (const { tokens, paddedTokens } of decisions) expect(paddedTokens).toBe(tokens);
  });

  it('is no model that heeds its mask: that one joins all lengths', async () => {
    await crowd('masked');
    const { batch, decisions } = await debugOf('masked');
    expect(batch).toMatchObject({ mode: 'dynamic', invariance: { class: 'any' } });
    expect(decisions.some(({ tokens, paddedTokens }) => paddedTokens > tokens)).toBe(true);
  });
});

describe('the thorough test', () => {
  it('finds a serving model right that is restricted, and wrong that is not', async () => {
    const verified = await Promise.all(MODELS.map((name) => running.gateway.verify(name, 300)));
    expect(verified.map(({ found, served, ok }) => [found, served, ok])).toEqual([
      ['one-by-one', 'one-by-one', true],
      ['one-by-one', 'any', false],
      ['one-by-one', 'any', false],
      ['equal-lengths', 'equal-lengths', true],
      ['any', 'any', true],
    ]);
  });
});

describe('equal tensors of many callers', () => {
  it('ride once', async () => {
    await running.client.load('multi_io', 'multi_io.onnx');
    const inputs = { a: [[1, 2, 3]], b: [[4, 5]] };
    const replies = await Promise.all(
      Array.from({ length: 40 }, () => running.client.infer('multi_io', inputs)),
    );
    for (const { body } of replies) expect(body.outputs).toEqual({ sum: [[15]], scaled: [[2, 4, 6]] });
    expect(await running.client.metric('carpool_shared_rows_total{model="multi_io"}')).toBeGreaterThan(0);
  });
});
