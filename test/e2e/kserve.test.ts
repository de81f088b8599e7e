import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isNear } from '../reference/golden.js';
import { startGateway, tempModelRoot, type Running, type TempFolder } from '../support/start-gateway.js';
import { FRAUD_CASES, SPAM_CASES } from './golden.js';

let root: TempFolder;
let running: Running;
beforeAll(async () => {
  root = await tempModelRoot();
  running = await startGateway({ models: { root: root.path }, server: { maxRequestRows: 400 } });
  for (const name of ['multi_io', 'no_batch_out'])
    expect((await running.client.load(name, `${name}.onnx`)).status).toBe(200);
});
afterAll(async () => {
  await running.close();
  await root.remove();
});

const predict = async (model: string, body: object): Promise<unknown> => {
  const { status, text } = await running.client.post(`/v1/models/${model}:predict`, body);
  expect([status, status === 200 ? '' : text]).toEqual([200, '']);
  return JSON.parse(text);
};
const LABELS = FRAUD_CASES.map(({ label }) => label);

describe('every golden case of fraud', () => {
  interface Row {
    readonly label: number;
    readonly probabilities: readonly number[];
  }
  const isRight = ({ label, probabilities }: Row, i: number): boolean =>
    label === LABELS[i] && FRAUD_CASES[i]!.probabilities.every((p, j) => isNear(probabilities[j], p, 1e-4));

  it.each([
    ['rows', FRAUD_CASES.map(({ input }) => input)],
    ['rows by name', FRAUD_CASES.map(({ input }) => ({ float_input: input }))],
  ])('as %s', async (_name, instances) => {
    const body = { instances, signature_name: 'serving_default' };
    const { predictions } = (await predict('fraud_detector', body)) as { predictions: Row[] };
    expect(predictions).toHaveLength(LABELS.length);
    expect(predictions.filter((row, i) => !isRight(row, i))).toEqual([]);
  });

  it.each([
    ['a tensor', FRAUD_CASES.map(({ input }) => input)],
    ['tensors by name', { float_input: FRAUD_CASES.map(({ input }) => input) }],
  ])('as %s', async (_name, inputs) => {
    const { outputs } = (await predict('fraud_detector/versions/1', { inputs })) as {
      outputs: { label: number[]; probabilities: number[][] };
    };
    expect(outputs.label).toEqual(LABELS);
    expect(outputs.probabilities.every((row, i) => isRight({ label: LABELS[i]!, probabilities: row }, i))).toBe(true); // prettier-ignore
  });
});

it('takes texts, and answers each as the Hugging Face API does', async () => {
  const texts = SPAM_CASES.map(({ text }) => text);
  const { predictions } = (await predict('spam', { instances: texts })) as {
    predictions: { label: string; score: number }[][];
  };
  expect(predictions.map(([best]) => best?.label)).toEqual(SPAM_CASES.map(({ label }) => label));
  const objects = texts.map((text) => ({ text }));
  expect(await predict('spam', { instances: objects })).toEqual({ predictions });
  expect(await predict('spam', { inputs: texts })).toEqual({ outputs: predictions });
});

it('takes token ids by name, and answers the only output without one', async () => {
  const row = { input_ids: [2, 9, 3], attention_mask: [1, 1, 1], token_type_ids: [0, 0, 0] };
  const { predictions } = (await predict('spam', { instances: [row, row] })) as { predictions: number[][] };
  expect(predictions.map(({ length }) => length)).toEqual([2, 2]);
  const inputs = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, [value, value]]));
  expect(await predict('spam', { inputs })).toEqual({ outputs: predictions });
});

it('answers a model without rows by tensor only', async () => {
  const inputs = [[1, 2, 3], [1, 2, 3]]; // prettier-ignore
  expect(await predict('no_batch_out', { inputs })).toEqual({ outputs: { y: [[2, 4, 6], [2, 4, 6]], mean: 2 } }); // prettier-ignore
  const { status, text } = await running.client.post('/v1/models/no_batch_out:predict', {
    instances: inputs,
  });
  expect([status, text]).toEqual([400, expect.stringContaining('have no common rows')]);
});

it('says which version is there', async () => {
  const { text } = await running.client.get('/v1/models/spam/versions/1');
  expect(JSON.parse(text)).toEqual({
    model_version_status: [
      { version: '1', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } },
    ],
  });
  expect((await running.client.get('/v1/models/spam/versions/2')).status).toBe(404);
  expect(JSON.parse((await running.client.get('/v1/models/spam')).text)).toMatchObject({
    name: 'spam',
    ready: true,
  });
});

it.each([
  ['fraud_detector', {}, 400, 'neither'],
  ['fraud_detector', { instances: [[1]], inputs: [[1]] }, 400, 'both'],
  ['fraud_detector', { instances: [] }, 400, 'empty'],
  ['fraud_detector', { instances: 7 }, 400, 'expected a list of rows'],
  ['fraud_detector', { instances: [[1, 2]] }, 400, 'the first one missing is "V2"'],
  ['fraud_detector', { instances: [{ float_input: [1] }, 7] }, 400, 'instances[1]: expected an object'],
  ['fraud_detector', { instances: [{ other: [1] }] }, 400, 'unknown tensor "other"'],
  ['multi_io', { instances: [[1, 2, 3]] }, 400, 'instances[0]: expected an object'],
  ['multi_io', { instances: [{ a: [1, 2, 3] }] }, 400, 'missing tensor'],
  ['spam', { instances: ['a', 7] }, 400, 'instances[1]: expected a text'],
  ['spam', { instances: [7] }, 400, 'or a text'],
  ['none', { instances: [1] }, 404, "no model 'none'"],
  ['spam/versions/2', { instances: ['a'] }, 404, "no version '2'"],
])('%s with %j is refused', async (model, body, status, words) => {
  const { status: got, text } = await running.client.post(`/v1/models/${model}:predict`, body);
  expect([got, JSON.parse(text)]).toEqual([status, { error: expect.stringContaining(words) }]);
});

it('more rows than the limit are refused', async () => {
  const { status, text } = await running.client.post('/v1/models/fraud_detector:predict', { instances: Array(401).fill([]) }); // prettier-ignore
  expect([status, text]).toEqual([413, expect.stringContaining('at most 400')]);
});
