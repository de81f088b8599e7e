import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { goldenOf, isNear, REFERENCE_MODELS } from '../reference/golden.js';
import { startGateway, type Running } from '../support/start-gateway.js';
import { SPAM_CASES } from './golden.js';

let spam: Running;
let all: Running;
beforeAll(async () => {
  spam = await startGateway({ models: { default: 'spam' } });
  const load = ['st-mean', 'bert-rerank', 'bert-ner', 'deberta-nli', 'roberta-multi'];
  all = await startGateway({ models: { root: REFERENCE_MODELS, load } });
});
afterAll(() => Promise.all([spam.close(), all.close()]));

const post = async (path: string, body: object, running = all): Promise<unknown> => {
  const { status, text } = await running.client.post(path, body);
  expect([status, status === 200 ? '' : text]).toEqual([200, '']);
  return JSON.parse(text);
};

interface Label {
  readonly label: string;
  readonly score: number;
}
const scoresOf = (labels: readonly Label[]): Record<string, number> =>
  Object.fromEntries(labels.map(({ label, score }) => [label, score]));
const areNear = (got: readonly Label[], expected: Readonly<Record<string, number>>): boolean =>
  got.length === Object.keys(expected).length &&
  got.every(
    ({ label, score }, i) => isNear(score, expected[label] ?? NaN, 1e-4) && score <= (got[i - 1]?.score ?? 1),
  );

describe('text classification', () => {
  it('answers a list of lists, for a single text too', async () => {
    const texts = SPAM_CASES.map(({ text }) => text);
    const lists = (await post('/', { inputs: texts }, spam)) as Label[][];
    expect(lists.map(([best]) => best?.label)).toEqual(SPAM_CASES.map(({ label }) => label));
    expect(await post('/', { inputs: texts[0] }, spam)).toEqual([lists[0]]);
    expect(await post('/models/spam', { inputs: texts[0], parameters: { top_k: 1 } }, spam)).toEqual([
      [lists[0]![0]],
    ]);
  });

  it('has the scores of the reference, pairs and other functions included', async () => {
    const [first] = goldenOf('roberta-multi').cases;
    const pair = goldenOf('roberta-multi').cases.find((each) => each.pair !== undefined)!;
    const inputs = [{ text: first!.text }, { text: pair.text, text_pair: pair.pair }];
    const lists = (await post('/models/roberta-multi', { inputs })) as Label[][];
    expect([areNear(lists[0]!, first!.scores!), areNear(lists[1]!, pair.scores!)]).toEqual([true, true]);
    const apply = async (function_to_apply: string): Promise<Record<string, number>> => {
      const [labels] = (await post('/models/roberta-multi', { inputs: first!.text, parameters: { function_to_apply } })) as Label[][]; // prettier-ignore
      return scoresOf(labels!);
    };
    expect(await apply('sigmoid')).toEqual(scoresOf(lists[0]!));
    const soft = await apply('softmax');
    expect(Object.values(soft).reduce((sum, score) => sum + score)).toBeCloseTo(1, 5);
    const logits = Object.values(await apply('none')).toSorted((a, b) => a - b);
    expect(logits.every((logit, i) => isNear(logit, (first!.logits as number[]).toSorted((a, b) => a - b)[i]!, 1e-4))).toBe(true); // prettier-ignore
  });
});

it.each(goldenOf('deberta-nli').zero_shot!)('zero-shot as the reference: $labels', async (golden) => {
  const { text, labels, multi_label, template, scores } = golden;
  const parameters = { candidate_labels: labels, multi_label, hypothesis_template: template };
  const got = (await post('/', { inputs: text, parameters })) as Label[];
  expect(areNear(got, scores)).toBe(true);
  expect(await post('/', { inputs: [text], parameters })).toEqual([got]);
});

it('entities as the reference, places in code points', async () => {
  const strip = (entities: readonly object[]): object[] =>
    entities.map((entity) => ({ ...entity, score: expect.any(Number) }));
  for (const { text, entities } of goldenOf('bert-ner').cases.filter(({ pair }) => pair === undefined))
    for (const aggregation_strategy of ['none', 'simple', 'max']) {
      const parameters = { aggregation_strategy };
      const [got] = (await post('/models/bert-ner', { inputs: [text], parameters })) as object[][];
      expect(got).toEqual(strip(entities![aggregation_strategy]!));
      expect(await post('/pipeline/token-classification/bert-ner', { inputs: text, parameters })).toEqual(
        got,
      );
    }
  const usual = await post('/models/bert-ner', { inputs: 'John Smith lives in Berlin.' });
  expect((usual as object[])[0]).toHaveProperty('entity_group');
});

it('vectors, flat for a single text; cosines; ranks', async () => {
  const vectors = (await post('/models/st-mean/pipeline/feature-extraction', {
    inputs: ['a', 'b'],
  })) as number[][];
  expect(vectors.map(({ length }) => length)).toEqual([32, 32]);
  expect(await post('/models/st-mean', { inputs: 'a' })).toEqual(vectors[0]);
  const inputs = { source_sentence: 'a', sentences: ['a', 'b'] };
  const cosines = (await post('/', { inputs })) as number[];
  expect(cosines[0]).toBeCloseTo(1, 5);
  expect(cosines[1]).toBeCloseTo(
    vectors[0]!.reduce((sum, x, i) => sum + x * vectors[1]![i]!, 0),
    4,
  );
  const { query, texts, scores } = goldenOf('bert-rerank').queries![0]!;
  const best = scores.indexOf(Math.max(...scores));
  for (const body of [{ query, texts }, { inputs: { query, texts } }])
    expect(((await post('/', body)) as object[])[0]).toEqual({ index: best, score: expect.any(Number) });
});

it.each([
  ['/', { inputs: 'a' }, 400, 'name it in the path'],
  ['/', {}, 400, 'inputs: expected a text'],
  ['/', { inputs: [] }, 400, 'empty'],
  ['/', { inputs: ['a', 1] }, 400, 'inputs[1]'],
  ['/', { inputs: 'a', parameters: 'b' }, 400, 'parameters: expected an object'],
  ['/models/st-mean', { inputs: 'a', parameters: { candidate_labels: ['b'] } }, 400, 'not for zero-shot'],
  ['/models/none', { inputs: 'a' }, 404, "no model 'none'"],
  ['/models/bert-ner', { inputs: 'a', parameters: { aggregation_strategy: 'best' } }, 400, 'none, simple'],
  ['/pipeline/summarization/st-mean', { inputs: 'a' }, 404, "no pipeline 'summarization'"],
  ['/pipeline/ner/st-mean', { inputs: 'a' }, 400, 'is for embedding'],
])('%s of %j is refused', async (path, body, status, words) => {
  const { status: got, text } = await all.client.post(path, body);
  expect([got, JSON.parse(text)]).toEqual([status, { error: expect.stringContaining(words) }]);
});

it('leaves other methods of / to whoever has the path', async () => {
  expect((await all.client.get('/')).body.error?.code).toBe('NOT_FOUND');
});
