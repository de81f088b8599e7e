import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { embeddingGoldenOf, isNear, REFERENCE_MODELS } from '../reference/golden.js';
import { startGateway, type Running } from '../support/start-gateway.js';

let running: Running;
beforeAll(async () => {
  // Of two embedders, the default is meant where none is named.
  const load = ['st-cls', 'st-mean', 'bert-single'];
  running = await startGateway({ models: { root: REFERENCE_MODELS, load, default: 'st-cls' } });
});
afterAll(() => running.close());

interface Embeddings {
  readonly data: readonly { readonly embedding: readonly number[] | string; readonly index: number }[];
  readonly model: string;
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number };
}

const ask = async (body: object): Promise<Embeddings> => {
  const { status, text } = await running.client.post('/v1/embeddings', body);
  expect([status, status === 200 ? '' : text]).toEqual([200, '']);
  return JSON.parse(text) as Embeddings;
};
const LONG = Array(49).fill(5);
const golden = embeddingGoldenOf('st-cls');
const texts = golden.cases.map(({ text }) => text);
const isOff = (got: readonly number[], expected: readonly number[]): boolean =>
  got.length !== expected.length || expected.some((value, i) => !isNear(got[i], value, 1e-4));
const floatsOf = (base64: string): number[] => {
  const bytes = Buffer.from(base64, 'base64');
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
};

describe('POST /v1/embeddings', () => {
  it.each(['float', 'base64'] as const)('gives vectors of length 1, as %s', async (encoding_format) => {
    const { data, model, usage } = await ask({ model: 'st-cls', input: texts, encoding_format });
    const vectors = data.map(({ embedding }) =>
      typeof embedding === 'string' ? floatsOf(embedding) : embedding,
    );
    expect(texts.filter((_, i) => isOff(vectors[i]!, golden.normalized[i]!))).toEqual([]);
    expect(data.every(({ embedding }) => (typeof embedding === 'string') === (encoding_format === 'base64'))).toBe(true); // prettier-ignore
    expect(data.map(({ index }) => index)).toEqual(texts.map((_, i) => i));
    const tokens = golden.cases.reduce((sum, { ids, cut }) => sum + (cut?.ids ?? ids).length, 0);
    expect([model, usage]).toEqual(['st-cls', { prompt_tokens: tokens, total_tokens: tokens }]);
  });

  it('takes a text, token ids, and fewer dimensions', async () => {
    const [first] = golden.cases;
    const bodies = [first!.text, first!.ids, [first!.ids], [first!.text]];
    const dimensions = golden.dimensions;
    for (const input of bodies) {
      const { data } = await ask({ input, dimensions, user: 'u', model: '' });
      expect(isOff(data[0]!.embedding as number[], golden.cut_normalized[0]!)).toBe(false);
    }
  });

  it.each([
    [{ input: 'a', model: 'st-clx' }, 404, 'model', 'model_not_found', "did you mean 'st-cls'?"],
    [{ input: 'a', model: 'bert-single' }, 400, 'model', null, 'is for text-classification'],
    [{ model: 'st-cls' }, 400, 'input', null, 'got nothing'],
    [{ model: 'st-cls', input: [] }, 400, 'input', null, 'empty'],
    [{ model: 'st-cls', input: [[]] }, 400, 'input', null, 'empty'],
    [{ model: 'st-cls', input: [1, 'a'] }, 400, 'input', null, 'input[1]: expected a token id'],
    [{ model: 'st-cls', input: ['a', 1] }, 400, 'input', null, 'input[1]: expected a string'],
    [{ model: 'st-cls', input: 'a', encoding_format: 'hex' }, 400, 'encoding_format', null, 'float, base64'],
    [{ model: 'st-cls', input: 'a', dimensions: 0 }, 400, 'dimensions', null, 'above 0'],
    [{ model: 'st-cls', input: 'a', dimensions: 33 }, 400, 'dimensions', null, 'at most 32'],
    [{ model: 'st-cls', input: LONG }, 400, null, 'context_length_exceeded', 'at most 48'],
  ])('%j is refused', async (body, status, param, code, words) => {
    const { status: got, text } = await running.client.post('/v1/embeddings', body);
    const { error } = JSON.parse(text) as { error: Record<string, unknown> };
    expect([got, error]).toEqual([
      status,
      { message: expect.stringContaining(words), type: 'invalid_request_error', param, code },
    ]);
  });
});

it('GET /v1/models is a list for clients of OpenAI, too', async () => {
  const list = JSON.parse((await running.client.get('/v1/models')).text) as Record<string, unknown>;
  const entry = (id: string): object => ({
    id,
    object: 'model',
    created: expect.any(Number),
    owned_by: 'carpool',
  });
  expect(list).toMatchObject({ object: 'list', data: ['bert-single', 'st-cls', 'st-mean'].map(entry) });
  expect(JSON.parse((await running.client.get('/v1/models/st-cls')).text)).toMatchObject(entry('st-cls'));
});
