import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AGGREGATIONS, entitiesOf } from '../../src/codec/tasks/index.js';
import { entityProblems } from './compare.js';
import { goldenOf, nameOf } from './golden.js';
import { eachWay, startRunner, type Runner } from './runner.js';

const MODELS = ['bert-ner', 'roberta-ner', 'xlmr-ner'];

let runner: Runner;
beforeAll(async () => {
  runner = await startRunner(MODELS);
});
afterAll(() => runner.close());

describe.each(MODELS)('%s', (model) => {
  const cases = goldenOf(model).cases;
  const texts = cases.map(({ text }) => text);

  it.each(AGGREGATIONS)('finds the entities of the pipeline, aggregation %s', async (aggregation) => {
    const ways = await eachWay(texts, async (asked) => {
      const result = await runner.infer(model, asked, { wants: { ids: true, offsets: true } });
      return entitiesOf(runner.info(model), asked, result, { aggregation });
    });
    const problems = ways.flatMap(([way, answers]) =>
      cases.flatMap((one, i) =>
        entityProblems(`${way}: ${nameOf(one)}`, answers[i] ?? [], one.entities?.[aggregation] ?? []),
      ),
    );
    expect(problems).toEqual([]);
  });

  it('has entities to compare', () => {
    const counts = AGGREGATIONS.map((name) => cases.flatMap(({ entities }) => entities?.[name] ?? []).length);
    expect(Math.min(...counts)).toBeGreaterThan(90);
  });
});
