import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { classScores, rankScores, zeroShotScores, zeroShotUnits } from '../../src/codec/tasks/index.js';
import { SCORE_TOLERANCE } from './compare.js';
import { goldenOf, isNear, nameOf, unitOf, type TextCase } from './golden.js';
import { eachWay, startRunner, type Runner } from './runner.js';

const CLASSIFIERS = ['bert-single', 'roberta-multi', 'distilbert-regression', 'bert-external', 'deberta-nli'];

let runner: Runner;
beforeAll(async () => {
  runner = await startRunner([...CLASSIFIERS, 'bert-rerank']);
});
afterAll(() => runner.close());

const scoreProblem = (
  name: string,
  got: ReadonlyMap<string, number>,
  expected: Readonly<Record<string, number>>,
): string[] => {
  const wanted = Object.entries(expected);
  const isSame =
    got.size === wanted.length &&
    wanted.every(([label, score]) => isNear(got.get(label), score, SCORE_TOLERANCE));
  return isSame ? [] : [`${name}: ${JSON.stringify([...got])}, expected ${JSON.stringify(expected)}`];
};

describe.each(CLASSIFIERS)('%s', (model) => {
  const cases = goldenOf(model).cases;
  const units = cases.map(unitOf);

  const problems = async (
    raw: boolean,
    expectedOf: (one: TextCase) => TextCase['scores'],
  ): Promise<string[]> => {
    const ways = await eachWay(units, async (asked) => {
      const { items } = await runner.infer(model, asked);
      return classScores(runner.info(model), items, { raw });
    });
    return ways.flatMap(([way, answers]) =>
      cases.flatMap((one, i) => {
        const expected = expectedOf(one);
        const got = new Map((answers[i] ?? []).map(({ label, score }) => [label, score]));
        return expected === undefined ? [] : scoreProblem(`${way}: ${nameOf(one)}`, got, expected);
      }),
    );
  };

  it('has the scores of the pipeline', async () => {
    expect(await problems(false, ({ scores }) => scores)).toEqual([]);
  });

  it('has the logits of the model', async () => {
    const labels = runner.info(model).labels ?? [];
    const ofLabels = ({ logits = [] }: TextCase): Record<string, number> =>
      Object.fromEntries(labels.map((label, i) => [label, Number(logits[i])]));
    expect(await problems(true, ofLabels)).toEqual([]);
  });
});

it('scores labels of the request as the zero-shot pipeline', async () => {
  const info = runner.info('deberta-nli');
  const asked = goldenOf('deberta-nli').zero_shot ?? [];
  const problems: string[] = [];
  for (const { text, labels, template, multi_label: multiLabel = false, scores } of asked) {
    const { items } = await runner.infer('deberta-nli', zeroShotUnits([text], labels, template));
    const [got = []] = zeroShotScores(info, items, { texts: 1, labels, multiLabel });
    problems.push(
      ...scoreProblem(text.slice(0, 40), new Map(labels.map((label, i) => [label, got[i] ?? NaN])), scores),
    );
  }
  expect(asked).toHaveLength(7);
  expect(problems).toEqual([]);
});

describe('bert-rerank', () => {
  const queries = goldenOf('bert-rerank').queries ?? [];

  it.each([
    ['scores', false],
    ['raw_scores', true],
  ] as const)('has the %s of the CrossEncoder', async (key, raw) => {
    const expected = queries.flatMap((one) => one[key]);
    const units = queries.flatMap(({ query, texts }) => texts.map((text) => [query, text] as const));
    const ways = await eachWay(units, async (asked) => {
      const { items } = await runner.infer('bert-rerank', asked);
      return rankScores(runner.info('bert-rerank'), items, { raw });
    });
    const off = ways.flatMap(([way, got]) =>
      expected.flatMap((score, i) =>
        isNear(got[i], score, SCORE_TOLERANCE) ? [] : [`${way} ${i}: ${got[i] ?? 'nothing'}`],
      ),
    );
    expect(expected).toHaveLength(7);
    expect(off).toEqual([]);
  });
});
