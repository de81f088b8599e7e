import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { embeddingsOf, type EmbeddingOptions } from '../../src/codec/tasks/index.js';
import { embeddingGoldenOf, isNear, nameOf, TEXT_MODELS } from './golden.js';
import { eachWay, startRunner, type Runner } from './runner.js';

const MODELS = TEXT_MODELS.filter((model) => model.startsWith('st-'));
const ELEMENT_TOLERANCE = 1e-4;
const COSINE_TOLERANCE = 1e-5;

let runner: Runner;
beforeAll(async () => {
  runner = await startRunner(MODELS);
});
afterAll(() => runner.close());

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? NaN), 0);

const cosineDistance = (a: readonly number[], b: readonly number[]): number =>
  1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

const isSame = (got: readonly number[], expected: readonly number[]): boolean =>
  got.length === expected.length &&
  expected.every((value, i) => isNear(got[i], value, ELEMENT_TOLERANCE)) &&
  isNear(cosineDistance(got, expected), 0, COSINE_TOLERANCE);

it('has every pooling to compare', () => {
  expect(MODELS.map((model) => embeddingGoldenOf(model).pooling).sort()).toEqual([
    'cls',
    'lasttoken',
    'max',
    'mean',
    'mean',
  ]);
});

describe.each(MODELS)('%s', (model) => {
  const golden = embeddingGoldenOf(model);
  const { cases, dimensions } = golden;

  it.each<[string, EmbeddingOptions, readonly (readonly number[])[]]>([
    ['as its modules say', {}, golden.embeddings],
    ['normalised', { normalize: true }, golden.normalized],
    ['cut and normalised', { normalize: true, dimensions }, golden.cut_normalized],
  ])('embeds as sentence-transformers: %s', async (_name, options, expected) => {
    const texts = cases.map(({ text }) => text);
    const ways = await eachWay(texts, async (asked) => {
      const vectors = embeddingsOf(runner.info(model), await runner.infer(model, asked), options);
      return vectors.map((vector) => Array.from(vector));
    });
    const off = ways.flatMap(([way, got]) =>
      cases.flatMap((one, i) => (isSame(got[i] ?? [], expected[i] ?? []) ? [] : [`${way}: ${nameOf(one)}`])),
    );
    expect(expected).toHaveLength(cases.length);
    expect(off).toEqual([]);
  });
});
