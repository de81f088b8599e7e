import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { embeddingGoldenOf, goldenOf, isNear, REFERENCE_MODELS } from '../reference/golden.js';
import { startGateway, type Running } from '../support/start-gateway.js';
import { SPAM_CASES } from './golden.js';
import { json, post, refusal } from './tei-calls.js';

let spam: Running;
let all: Running;
beforeAll(async () => {
  spam = await startGateway();
  const load = ['st-mean', 'bert-rerank', 'roberta-multi'];
  all = await startGateway({ models: { root: REFERENCE_MODELS, load }, server: { maxRequestRows: 64 } });
});
afterAll(() => Promise.all([spam.close(), all.close()]));

const isNearAll = (
  got: readonly number[] | undefined,
  expected: readonly number[],
  tolerance: number,
): boolean =>
  got?.length === expected.length && expected.every((value, i) => isNear(got[i], value, tolerance));

interface Prediction {
  readonly label: string;
  readonly score: number;
}

describe('/predict', () => {
  it('gives every golden text of spam its labels, best first', async () => {
    const inputs = SPAM_CASES.map(({ text }) => [text]);
    const lists = (await post(spam, '/predict', { inputs })) as Prediction[][];
    const off = SPAM_CASES.filter(({ label, score }, i) => {
      const [best, other] = lists[i] ?? [];
      return (
        best?.label !== label || !isNear(best.score, score, 1e-4) || !isNear(other?.score, 1 - score, 1e-4)
      );
    });
    expect(lists).toHaveLength(SPAM_CASES.length);
    expect(off).toEqual([]);
  });

  it('tells one text, one pair and a batch apart', async () => {
    const alone = await post(spam, '/predict', { inputs: 'win a prize' });
    expect(alone).toEqual([
      { label: expect.any(String), score: expect.any(Number) },
      { label: expect.any(String), score: expect.any(Number) },
    ]);
    expect(await post(spam, '/predict', { inputs: ['win a prize'] })).toEqual(alone);
    expect(await post(spam, '/predict', { inputs: [['win a prize']], truncate: null })).toEqual([alone]);
    const pair = await post(spam, '/predict', { inputs: ['win', 'a prize'] });
    expect(pair).not.toEqual(alone);
    expect(await post(spam, '/predict', { inputs: [['win', 'a prize'], ['win a prize']] })).toEqual([
      pair,
      alone,
    ]);
    const more = await spam.client.post('/predict', { inputs: ['a', 'b', 'c'] });
    expect([more.status, json(more)]).toEqual([
      422,
      { error: expect.stringContaining('got a list of 3'), error_type: 'Validation' },
    ]);
  });

  it('leaves the path to our own bodies, in our own shape of errors', async () => {
    expect(await post(spam, '/predict', { texts: ['a'] })).toEqual({ predictions: [expect.anything()] });
    expect(await refusal(spam, '/predict', { texts: [7] })).toEqual([
      400,
      { error: expect.objectContaining({ code: 'INVALID_REQUEST' }) },
    ]);
    expect(await refusal(spam, '/predict', { texts: ['a'], inputs: 'a' })).toEqual([
      400,
      { error: expect.objectContaining({ code: 'INVALID_REQUEST' }) },
    ]);
  });

  it('gives logits as they are, and sigmoids to a multi-label model', async () => {
    const [first] = SPAM_CASES;
    const raw = (await post(spam, '/predict', { inputs: first!.text, raw_scores: true })) as Prediction[];
    expect(
      isNearAll(
        raw.map(({ score }) => score),
        first!.logits.toSorted((a, b) => b - a),
        1e-4,
      ),
    ).toBe(true);
    const multi = goldenOf('roberta-multi').cases.find(({ pair }) => pair === undefined)!;
    const scores = (await post(all, '/predict', { inputs: multi.text })) as Prediction[];
    const expected = Object.entries(multi.scores!).toSorted(([, a], [, b]) => b - a);
    expect(scores.map(({ label }) => label)).toEqual(expected.map(([label]) => label));
    expect(
      isNearAll(
        scores.map(({ score }) => score),
        expected.map(([, score]) => score),
        1e-4,
      ),
    ).toBe(true);
  });

  it('cuts long texts from either end, or refuses them', async () => {
    const inputs = `${'free prize '.repeat(200)}${'see you at home '.repeat(200)}`;
    const right = await post(spam, '/predict', { inputs });
    const left = await post(spam, '/predict', { inputs, truncation_direction: 'Left' });
    expect(left).not.toEqual(right);
    expect(await refusal(spam, '/predict', { inputs, truncate: false })).toEqual([
      422,
      { error: expect.stringContaining('128'), error_type: 'Validation' },
    ]);
  });
});

describe('/embed', () => {
  const golden = embeddingGoldenOf('st-mean');
  const texts = golden.cases.map(({ text }) => text);
  it.each([
    ['normalised unless told otherwise', {}, golden.normalized],
    ['cut, then normalised', { dimensions: golden.dimensions }, golden.cut_normalized],
  ])('gives the vectors of the reference, %s', async (_name, more, expected) => {
    const vectors = (await post(all, '/embed', { inputs: texts, ...more })) as number[][];
    expect(vectors).toHaveLength(texts.length);
    expect(texts.filter((_, i) => !isNearAll(vectors[i], expected[i]!, 1e-4))).toEqual([]);
  });

  const lengthOf = (vector: readonly number[]): number => Math.hypot(...vector);
  const unit = (vector: readonly number[]): number[] => vector.map((x) => x / lengthOf(vector));

  it('gives them as they are', async () => {
    const vectors = (await post(all, '/embed', { inputs: texts, normalize: false })) as number[][];
    expect(vectors.filter((vector) => isNear(lengthOf(vector), 1, 0.1))).toEqual([]);
    expect(texts.filter((_, i) => !isNearAll(unit(vectors[i]!), golden.normalized[i]!, 1e-4))).toEqual([]);
  });

  it('takes a text by itself and token ids', async () => {
    const [first] = golden.cases;
    const alone = (await post(all, '/embed', { inputs: first!.text })) as number[][];
    const ids = (await post(all, '/embed', { inputs: first!.ids })) as number[][];
    const batch = (await post(all, '/embed', { inputs: [first!.ids, first!.ids] })) as number[][];
    expect(alone).toHaveLength(1);
    for (const vector of [...alone, ...ids, ...batch])
      expect(isNearAll(vector, golden.normalized[0]!, 1e-4)).toBe(true);
  });

  it('gives the vectors of all tokens on /embed_all', async () => {
    const lists = (await post(all, '/embed_all', { inputs: [texts[0], texts[1]] })) as number[][][];
    expect(lists.map((tokens) => tokens.length)).toEqual(
      golden.cases.slice(0, 2).map(({ ids }) => ids.length),
    );
    const mean = lists[0]![0]!.map(
      (_, i) => lists[0]!.reduce((sum, token) => sum + token[i]!, 0) / lists[0]!.length,
    );
    expect(isNearAll(unit(mean), golden.normalized[0]!, 1e-4)).toBe(true);
  });

  it('compares sentences on /similarity', async () => {
    const inputs = { source_sentence: texts[0], sentences: [texts[0], texts[3], texts[1]] };
    const [same, ...others] = (await post(all, '/similarity', { inputs, parameters: null })) as number[];
    const cosine = (a: readonly number[], b: readonly number[]): number =>
      a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    expect(same).toBeCloseTo(1, 5);
    const expected = [3, 1].map((i) => cosine(golden.normalized[0]!, golden.normalized[i]!));
    expect(isNearAll(others, expected, 1e-4)).toBe(true);
  });

  it('tells how long it took, and of how much', async () => {
    const { headers } = await all.client.post('/embed', { inputs: ['a 😀', 'b'] });
    const names = ['compute-time', 'total-time', 'tokenization-time', 'queue-time', 'inference-time'];
    for (const name of names) expect(headers[`x-${name}`]).toMatch(/^\d+$/);
    expect([headers['x-compute-type'], headers['x-compute-characters']]).toEqual(['cpu+optimized', '4']);
    expect(Number(headers['x-compute-tokens'])).toBeGreaterThan(5);
  });
});

describe('/rerank', () => {
  it.each(goldenOf('bert-rerank').queries!)('ranks as the reference: $query', async (golden) => {
    const { query, texts } = golden;
    for (const [raw_scores, expected] of [[false, golden.scores], [true, golden.raw_scores]] as const) {
      const ranks = (await post(all, '/rerank', { query, texts, raw_scores, return_text: true })) as {
        readonly index: number;
        readonly score: number;
        readonly text: string;
      }[];
      expect(ranks.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual(texts.map((_, i) => i));
      for (const { index, score, text } of ranks)
        expect([isNear(score, expected[index]!, 1e-4), text]).toEqual([true, texts[index]]);
      const scores = ranks.map(({ score }) => score);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    }
    const [first] = (await post(all, '/rerank', { query, texts })) as object[];
    expect(Object.keys(first!)).toEqual(['index', 'score']);
  }); // prettier-ignore
});

it('/info says what is served', async () => {
  expect(json(await spam.client.get('/info'))).toMatchObject({
    model_id: 'spam',
    model_dtype: 'float32',
    model_type: { classifier: { id2label: { 0: 'ham', 1: 'spam' }, label2id: { ham: 0, spam: 1 } } },
    max_input_length: 128,
    max_client_batch_size: 10_000,
    auto_truncate: true,
  });
  expect(json(await all.client.get('/info?model=st-mean'))).toMatchObject({
    model_id: 'st-mean',
    model_sha: null,
    model_type: { embedding: { pooling: 'mean' } },
  });
  expect(json(await all.client.get('/info?model=bert-rerank'))).toMatchObject({
    model_type: { reranker: {} },
  });
  const several = await all.client.get('/info');
  expect([several.status, json(several)]).toMatchObject([422, { error_type: 'Validation' }]);
});
