import { describe, expect, it } from '@jest/globals';
import { cardProblem, classifyRows, classifyTexts } from '../../src/codec/tasks/index.js';
import type { ItemOutput } from '../../src/infer.js';
import type { DType } from '../../src/tensor.js';
import { infoOf, refusal, spec, tensorOf } from '../protocol/support.js';

const TEXT_CARD = { task: 'text-classification', logits: 'logits' };
const signature = {
  inputs: [],
  outputs: [spec('pooled', 'float32', ['b', 4]), spec('logits', 'float32', ['b', 2])],
};
const TEXTS = infoOf(TEXT_CARD, { labels: ['ham', 'spam'], signature });
const UNLABELLED = infoOf(TEXT_CARD, { signature });

const textItem = (dims: number[], logits: (number | string)[], dtype: DType = 'float32'): ItemOutput => ({
  outputs: [tensorOf('float32', [1, 4], [9, 9, 9, 9]), tensorOf(dtype, dims, logits)],
});

describe('classifyTexts', () => {
  it.each<[string, number[], string, number]>([
    ['the likeliest', [-1, 1], 'spam', 1 / (1 + Math.exp(-2))],
    ['the first of equals', [3, 3], 'ham', 0.5],
    ['large logits without overflow', [1e30, 0], 'ham', 1],
    ['very negative logits', [-1e30, -1e30], 'ham', 0.5],
  ])('takes %s', (_name, logits, label, confidence) => {
    const [prediction] = classifyTexts(TEXTS, [textItem([1, 2], logits)]);
    expect(prediction?.label).toBe(label);
    expect(prediction?.confidence).toBeCloseTo(confidence, 6);
  });

  it('keeps rows of several items in order, and float16 logits', () => {
    const items = [textItem([2, 2], [1, 0, 0, 1]), textItem([1, 2], [0, 0x3c00], 'float16')];
    expect(classifyTexts(TEXTS, items).map(({ label }) => label)).toEqual(['ham', 'spam', 'spam']);
  });

  it('scores every class, sums to 1, and names classes without a label by index', () => {
    const [prediction] = classifyTexts(UNLABELLED, [textItem([1, 3], [0, 2, 1])]);
    expect(prediction?.label).toBe('LABEL_1');
    expect(prediction?.scores.map(({ label }) => label)).toEqual(['LABEL_0', 'LABEL_1', 'LABEL_2']);
    expect(prediction?.scores.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 12);
  });

  it('survives NaN', () => {
    const [prediction] = classifyTexts(TEXTS, [textItem([1, 2], [NaN, NaN])]);
    expect(prediction).toMatchObject({ label: 'ham', confidence: NaN });
  });

  it.each<[string, ItemOutput]>([
    ['rank 1', textItem([2], [1, 2])],
    ['rank 3', textItem([1, 1, 2], [1, 2])],
    ['no classes', textItem([1, 0], [])],
    ['strings', textItem([1, 2], ['a', 'b'], 'string')],
  ])('refuses logits with %s', (_name, item) => {
    expect(refusal(() => classifyTexts(TEXTS, [item])).code).toBe('EXECUTION_FAILED');
  });

  it('refuses a card that names an output that is not there', () => {
    const info = infoOf({ logits: 'nope' }, { signature: TEXTS.signature });
    expect(refusal(() => classifyTexts(info, [])).message).toContain('no output "nope"');
  });
});

const ROWS = infoOf(
  {
    task: 'tabular-classification',
    classifier: { predictions: 'label', probabilities: 'p', positive: 2, flag: 'is_bad' },
  },
  { signature: { inputs: [], outputs: [spec('p', 'float32', ['N', 3]), spec('label', 'int64', ['N', 1])] } },
);
const rowItem = (classes: bigint[], dims: number[], p: number[]): ItemOutput => ({
  outputs: [tensorOf('float64', dims, p), tensorOf('int64', [classes.length, 1], classes)],
});

describe('classifyRows', () => {
  it('reads what the card declares', () => {
    const items = [
      rowItem([2n, 0n], [2, 3], [0.1, 0.2, 0.7, 0.6, 0.3, 0.1]),
      rowItem([1n], [1, 3], [0, 1, 0]),
    ];
    expect(classifyRows(ROWS, items)).toMatchObject({
      predictions: [2, 0, 1],
      confidence: [0.7, 0.1, 0],
      flags: [true, false, false],
    });
  });

  it('answers nothing where the card declares nothing', () => {
    expect(classifyRows(infoOf({}), [])).toBeUndefined();
  });

  it.each<[string, ItemOutput]>([
    ['fewer predictions than rows', rowItem([1n], [2, 3], [0, 1, 0, 0, 1, 0])],
    ['too few classes', rowItem([1n], [1, 2], [0, 1])],
    ['flat probabilities', rowItem([1n], [3], [0, 1, 0])],
  ])('refuses %s', (_name, item) => {
    expect(refusal(() => classifyRows(ROWS, [item])).code).toBe('EXECUTION_FAILED');
  });
});

describe('cardProblem', () => {
  const { card, signature } = ROWS;
  const with_ = (parts: object): string | undefined =>
    cardProblem({ ...card, classifier: { ...card.classifier!, ...parts } }, signature);

  it('accepts cards that fit', () => {
    expect(cardProblem(card, signature)).toBeUndefined();
    expect(cardProblem(TEXTS.card, TEXTS.signature)).toBeUndefined();
    expect(cardProblem(infoOf({}).card, signature)).toBeUndefined();
  });

  it.each<[object, string]>([
    [
      { predictions: 'q' },
      'classifier.predictions: expected one of the model\'s outputs (p, label), got "q"',
    ],
    [{ probabilities: 'q' }, 'classifier.probabilities: expected one of'],
    [{ flag: 'outputs' }, 'classifier.flag: "outputs" is already a field'],
    [{ positive: 3 }, 'classifier.positive: expected less than the 3 classes of p, got 3'],
  ])('explains %j', (parts, part) => {
    expect(with_(parts)).toContain(part);
  });

  it('explains a missing output for the logits, and a tabular task without a classifier', () => {
    expect(cardProblem(infoOf({ logits: 'q' }).card, signature)).toContain('logits: expected one of');
    const embedding = infoOf({ embedding: { output: 'q' } }).card;
    expect(cardProblem(embedding, signature)).toContain('embedding.output: expected one of');
    const bare = infoOf({ task: 'tabular-classification' }).card;
    expect(cardProblem(bare, signature)).toContain('classifier: expected with task');
  });
});
