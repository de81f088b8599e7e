import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import OpenAI from 'openai';
import { embeddingGoldenOf, isNear, REFERENCE_MODELS } from '../reference/golden.js';
import { startGateway, type Running } from '../support/start-gateway.js';

/** The client that OpenAI publishes, unchanged but for its base URL. */
let running: Running;
let client: OpenAI;
beforeAll(async () => {
  running = await startGateway({ models: { root: REFERENCE_MODELS, load: ['st-mean', 'bert-single'] } });
  client = new OpenAI({ baseURL: `${running.url}/v1`, apiKey: 'none is needed', maxRetries: 0 });
});
afterAll(() => running.close());

const golden = embeddingGoldenOf('st-mean');
const input = golden.cases.map(({ text }) => text);
const isOff = (got: readonly number[], expected: readonly number[]): boolean =>
  got.length !== expected.length || expected.some((value, i) => !isNear(got[i], value, 1e-4));

describe('embeddings', () => {
  it('come as the client asks for them by itself, in base64', async () => {
    const { data, model, usage } = await client.embeddings.create({ model: 'st-mean', input });
    expect(input.filter((_, i) => isOff(data[i]!.embedding, golden.normalized[i]!))).toEqual([]);
    expect([model, usage.prompt_tokens, usage.total_tokens]).toEqual([
      'st-mean',
      expect.any(Number),
      usage.prompt_tokens,
    ]);
  });

  it('come as floats, with fewer dimensions, of token ids', async () => {
    const { data } = await client.embeddings.create({
      model: 'st-mean',
      input: [[...golden.cases[0]!.ids]],
      encoding_format: 'float',
      dimensions: golden.dimensions,
    });
    expect(isOff(data[0]!.embedding, golden.cut_normalized[0]!)).toBe(false);
  });

  it('of a large request, too', async () => {
    const many = Array.from({ length: 2_000 }, (_, i) => input[i % input.length]!);
    const { data } = await client.embeddings.create({ model: 'st-mean', input: many });
    expect(many.filter((_, i) => isOff(data[i]!.embedding, golden.normalized[i % input.length]!))).toEqual(
      [],
    );
  });
});

it('models are listed and looked up', async () => {
  const ids: string[] = [];
  for await (const { id } of client.models.list()) ids.push(id);
  expect(ids).toEqual(['bert-single', 'st-mean']);
  expect(await client.models.retrieve('st-mean')).toMatchObject({ id: 'st-mean', object: 'model' });
});

it('errors are the errors of the client', async () => {
  const unknown = client.embeddings.create({ model: 'st-mena', input: 'a' });
  await expect(unknown).rejects.toMatchObject({
    name: 'Error',
    status: 404,
    code: 'model_not_found',
    param: 'model',
    type: 'invalid_request_error',
  });
  await expect(unknown).rejects.toThrow("did you mean 'st-mean'?");
  await expect(client.embeddings.create({ model: 'st-mean', input: [] })).rejects.toMatchObject({ status: 400, param: 'input' }); // prettier-ignore
});
