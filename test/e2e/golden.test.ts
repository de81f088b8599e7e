import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { HttpClient, Reply } from '../support/http-client.js';
import { startGateway, type Running } from '../support/start-gateway.js';
import { FRAUD_CASES, seededRandom, shuffled, SPAM_CASES, type FraudCase, type SpamCase } from './golden.js';

/** The row of the reference documents, in our columns: its figures are our model's. */
const EXAMPLE_ROW = [
  0.5, 125.5, -0.8, 1.2, -0.3, 0.5, 1.1, -0.2, 0.9, -1.2, 0.3, -0.7, 1.5, -0.4, 0.6, -1.1, 0.8, 0.2, -0.9,
  1.3, -0.5, 0.4, -1.0, 0.7, -0.3, 0.9, -0.6, 1.2, -0.8, 0.5,
];

const TOLERANCE = 1e-4;
const CONFIDENCE_TOLERANCE = 1e-3;

let running: Running;
let client: HttpClient;

beforeAll(async () => {
  // Held back a little, so that what is asked at once rides together on any machine.
  running = await startGateway({ batching: { maxWaitMs: 5 } });
  ({ client } = running);
});
afterAll(() => running.close());

const differs = (a: number | undefined, b: number, tolerance: number): boolean =>
  !(Math.abs((a ?? NaN) - b) <= tolerance);

/** What is wrong with the answer; compared with `[]`, so that a failure shows every case that is off. */
const spamProblems = (reply: Reply, cases: readonly SpamCase[]): string[] => {
  if (reply.status !== 200) return [`${reply.status}: ${reply.text}`];
  // Checked by the comparison: whatever is not there is not equal.
  const predictions = reply.body.predictions as readonly { label: string; confidence: number }[];
  const logits = reply.body.outputs?.['logits'] as readonly (readonly number[])[] | undefined;
  const counts = [predictions.length, logits?.length ?? cases.length];
  if (counts.some((count) => count !== cases.length)) return [`${counts.join(' and ')} rows`];
  return cases.flatMap(({ text, label, score, logits: expected }, i) => {
    const { label: got, confidence } = predictions[i]!;
    const isOff =
      got !== label ||
      differs(confidence, score, CONFIDENCE_TOLERANCE) ||
      (logits !== undefined && expected.some((logit, at) => differs(logits[i]?.[at], logit, TOLERANCE)));
    return isOff ? [`${JSON.stringify(text.slice(0, 40))}: ${got} ${confidence} ${String(logits?.[i])}`] : [];
  });
};

const fraudProblems = (reply: Reply, cases: readonly FraudCase[]): string[] => {
  if (reply.status !== 200) return [`${reply.status}: ${reply.text}`];
  const { predictions, probabilities, confidence, is_fraud: flags } = reply.body;
  if (predictions?.length !== cases.length) return [`${predictions?.length ?? 0} rows`];
  return cases.flatMap(({ label, probabilities: expected }, i) => {
    const isOff =
      predictions[i] !== label ||
      flags?.[i] !== (label === 1) ||
      confidence?.[i] !== probabilities?.[i]?.[1] ||
      expected.some((p, at) => differs(probabilities?.[i]?.[at], p, TOLERANCE));
    return isOff ? [`case ${i}: ${String(predictions[i])} ${String(probabilities?.[i])}`] : [];
  });
};

const predict = (texts: readonly string[]): Promise<Reply> => client.post('/predict', { texts });
const inferTexts = (texts: readonly string[]): Promise<Reply> =>
  client.post('/v1/models/spam/infer', { texts });
const inferRows = (cases: readonly FraudCase[]): Promise<Reply> =>
  client.infer(
    'fraud_detector',
    cases.map(({ input }) => input),
  );

/** Cuts a list into pieces of 1 to 4. */
const pieces = <T>(values: readonly T[], random: () => number): T[][] => {
  const cut: T[][] = [];
  for (let at = 0; at < values.length;) {
    const size = 1 + Math.floor(random() * 4);
    cut.push(values.slice(at, at + size));
    at += size;
  }
  return cut;
};

describe('spam: every golden case', () => {
  it.each([
    ['/predict', predict],
    ['/v1/models/spam/infer', inferTexts],
  ])('alone, by %s', async (_path, ask) => {
    const problems: string[] = [];
    for (const one of SPAM_CASES) problems.push(...spamProblems(await ask([one.text]), [one]));
    expect(problems).toEqual([]);
  });

  it.each([
    ['/predict', predict],
    ['/v1/models/spam/infer', inferTexts],
  ])('all in one request, by %s', async (_path, ask) => {
    expect(spamProblems(await ask(SPAM_CASES.map(({ text }) => text)), SPAM_CASES)).toEqual([]);
  });

  it('has its logits beside its label', async () => {
    const { body } = await inferTexts([SPAM_CASES[0]!.text]);
    expect(body.model_name).toBe('spam');
    expect(Object.keys(body.outputs ?? {})).toEqual(['logits']);
  });
});

describe('fraud_detector: every golden case', () => {
  it('alone', async () => {
    const problems: string[] = [];
    for (const one of FRAUD_CASES) problems.push(...fraudProblems(await inferRows([one]), [one]));
    expect(problems).toEqual([]);
  });

  it('all in one request', async () => {
    expect(fraudProblems(await inferRows(FRAUD_CASES), FRAUD_CASES)).toEqual([]);
  });
});

it('is right for both models at once, shuffled, in requests of 1 to 4, from many clients', async () => {
  const random = seededRandom(7);
  const rounds = Array.from({ length: 5 });
  const spam = rounds.flatMap(() => pieces(shuffled(SPAM_CASES, random), random));
  const fraud = rounds.flatMap(() => pieces(shuffled(FRAUD_CASES, random), random));
  const asks = [
    ...spam.map((cases, i) => async () => {
      const ask = i % 2 === 0 ? predict : inferTexts;
      return spamProblems(await ask(cases.map(({ text }) => text)), cases);
    }),
    ...fraud.map((cases) => async () => fraudProblems(await inferRows(cases), cases)),
  ];
  const runs = (): Promise<number> => client.metric('carpool_batch_rows_count{model="spam"}');
  const before = await runs();
  const problems = await Promise.all(shuffled(asks, random).map((ask) => ask()));
  expect(problems.flat()).toEqual([]);
  // That is what was to be shown harmless.
  expect((await runs()) - before).toBeLessThan(SPAM_CASES.length * rounds.length * 0.7);
});

describe('the example row', () => {
  it('is answered with predictions, probabilities, confidence and is_fraud', async () => {
    const { status, body } = await client.infer('fraud_detector', [EXAMPLE_ROW]);
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual([
      'model_name',
      'model_version',
      'outputs',
      'predictions',
      'probabilities',
      'confidence',
      'is_fraud',
    ]);
    const [p0, p1] = body.probabilities?.[0] ?? [];
    expect(p0! + p1!).toBeCloseTo(1, 5);
    expect(body.confidence).toEqual([p1]);
    expect(body.predictions).toEqual([p1! > 0.5 ? 1 : 0]);
    expect(body.is_fraud).toEqual([p1! > 0.5]);
    expect(body.outputs).toEqual({ label: body.predictions, probabilities: body.probabilities });
  });
});
