import { readFileSync } from 'node:fs';
import type { SeededRandom } from './seeded-random.js';

/** A request and its right answer, known before it is sent: from golden.json, or from what the model computes. */
export interface Known {
  readonly path: string;
  readonly body: string;
  /** Any of these answers is right: a model that is swapped answers as one version or as the other. */
  readonly expected: readonly unknown[];
}

interface SpamCase {
  readonly text: string;
  readonly label: string;
  readonly score: number;
  readonly logits: readonly number[];
  readonly n_tokens: number;
}

interface FraudCase {
  readonly input: readonly number[];
  readonly label: number;
  readonly probabilities: readonly number[];
}

const casesOf = (model: string): unknown => {
  const file = new URL(`../../../models/${model}/golden.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { cases: unknown }).cases;
};

/** The files are the project's own; their shape is checked by the answers being right. */
const SPAM = casesOf('spam') as readonly SpamCase[];
const FRAUD = casesOf('fraud_detector') as readonly FraudCase[];
const MAX_TOKENS = 128;

const predictionOf = ({ label, score, n_tokens }: SpamCase): object => ({
  label,
  confidence: score,
  ...(n_tokens > MAX_TOKENS ? { truncated: true } : {}),
});

const known = (path: string, body: object, expected: readonly unknown[]): Known => ({
  path,
  body: JSON.stringify(body),
  expected,
});

const textsOf = (cases: readonly SpamCase[]): readonly string[] => cases.map(({ text }) => text);

const predict = (cases: readonly SpamCase[]): Known =>
  known('/predict', { texts: textsOf(cases) }, [{ predictions: cases.map(predictionOf) }]);

const inferTexts = (cases: readonly SpamCase[]): Known => {
  const outputs = { logits: cases.map(({ logits }) => logits) };
  const answer = { model_name: 'spam', model_version: '1', outputs, predictions: cases.map(predictionOf) };
  return known('/v1/models/spam/infer', { texts: textsOf(cases) }, [answer]);
};

const inferRows = (cases: readonly FraudCase[]): Known => {
  const labels = cases.map(({ label }) => label);
  const probabilities = cases.map((row) => row.probabilities);
  const answer = {
    model_name: 'fraud_detector',
    model_version: '1',
    outputs: { label: labels, probabilities },
    predictions: labels,
    probabilities,
    confidence: probabilities.map((row) => row[1]),
    is_fraud: labels.map((label) => label === 1),
  };
  return known('/v1/models/fraud_detector/infer', { inputs: cases.map(({ input }) => input) }, [answer]);
};

const tensors = (
  model: string,
  name: string,
  input: readonly number[][],
  outputs: readonly number[][][],
): Known =>
  known(
    `/v1/models/${model}/infer`,
    { inputs: { [name]: input } },
    outputs.map((y) => ({ model_name: model, model_version: '1', outputs: { y } })),
  );

const rowsOf = (count: number, of: (row: number) => number[]): number[][] =>
  Array.from({ length: count }, (_, row) => of(row));

/** Every golden case, alone: what must be right before, during and after. */
export const goldenRequests = (): readonly Known[] => [
  ...SPAM.map((one) => predict([one])),
  ...SPAM.map((one) => inferTexts([one])),
  ...FRAUD.map((one) => inferRows([one])),
];

/** Makers of good requests, by model and size. */
export const knownRequests = {
  spam: (random: SeededRandom): Known => {
    const count = random.next() < 0.7 ? 1 : random.between(2, 24);
    const cases = rowsOf(count, () => []).map(() => random.pick(SPAM));
    return random.next() < 0.7 ? predict(cases) : inferTexts(cases);
  },
  /** Body and answer are long enough for the codec's thread. */
  manyTexts: (random: SeededRandom): Known => {
    const short = SPAM.filter(({ text }) => text.length < 25);
    return predict(Array.from({ length: random.between(200, 1_200) }, () => random.pick(short)));
  },
  fraud: (random: SeededRandom): Known =>
    inferRows(
      Array.from({ length: random.next() < 0.7 ? 1 : random.between(2, 40) }, () => random.pick(FRAUD)),
    ),
  manyRows: (random: SeededRandom): Known =>
    inferRows(Array.from({ length: random.between(500, 3_000) }, () => random.pick(FRAUD))),
  poison: (random: SeededRandom): Known => {
    const idx = rowsOf(random.between(1, 3), () => [random.between(0, 9)]);
    return tensors('poison', 'idx', idx, [idx.map(([i = 0]) => [i * 10 + 0.5])]);
  },
  slow: (random: SeededRandom): Known => {
    const x = rowsOf(1, () => Array.from({ length: 64 }, () => random.between(-9, 9)));
    return tensors('slow', 'x', x, [x.map((row) => row.map((value) => value + 1))]);
  },
  guest: (random: SeededRandom): Known => {
    const x = rowsOf(random.between(1, 6), () => [0, 1, 2].map(() => random.between(-9, 9)));
    const plus = x.map((row) => row.map((value) => value + 1));
    const times = x.map((row) => row.map((value) => value * 3 + 1));
    return tensors('guest', 'x', x, [plus, times]);
  },
} as const satisfies Record<string, (random: SeededRandom) => Known>;

/** Fails every run that it is part of; its neighbours must not notice. */
export const poisonousRequest = (random: SeededRandom): Known =>
  tensors('poison', 'idx', [[random.between(0, 9)], [random.between(50, 99)]], []);
