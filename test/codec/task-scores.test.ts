import { describe, expect, it } from '@jest/globals';
import {
  classScores,
  embeddingsOf,
  rankScores,
  topLabels,
  zeroShotScores,
  zeroShotUnits,
} from '../../src/codec/tasks/index.js';
import { combineScores, itemsByText, meanVector, withoutOverlaps } from '../../src/codec/tasks/windows.js';
import type { ItemOutput } from '../../src/infer.js';
import { infoOf, refusal, resultOf, spec, tensorOf } from '../protocol/support.js';

const one = (dims: number[], values: number[]): ItemOutput => ({
  outputs: [tensorOf('float32', dims, values)],
});
const signature = { inputs: [], outputs: [spec('logits', 'float32', ['b', 'n'])] };
const near = (values: readonly number[], expected: readonly number[]): void => {
  expect(values).toHaveLength(expected.length);
  values.forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? NaN, 6));
};

describe('scores of logits', () => {
  const scores = (card: object, logits: number[], raw = false): number[] =>
    classScores(infoOf(card, { signature }), [one([1, logits.length], logits)], { raw })[0]!.map(
      ({ score }) => score,
    );

  it('follow the number of labels where the card says nothing', () => {
    near(scores({}, [0, Math.log(3)]), [0.25, 0.75]);
    near(scores({}, [Math.log(3)]), [0.75]);
  });

  it('follow the card, and are the logits where raw ones are asked for', () => {
    near(scores({ activation: 'sigmoid' }, [0, Math.log(3)]), [0.5, 0.75]);
    near(scores({ activation: 'none' }, [7]), [7]);
    near(scores({ activation: 'sigmoid' }, [4, 5], true), [4, 5]);
  });

  it('are sorted best first, of equals the first by index', () => {
    const sorted = topLabels(
      [['a', 1], ['b', 3], ['c', 3], ['d', 2]].map(([label, score]) => ({ label: String(label), score: Number(score) })), // prettier-ignore
      3,
    );
    expect(sorted.map(({ label }) => label)).toEqual(['b', 'c', 'd']);
  });

  it('rank by one logit', () => {
    const info = infoOf({ task: 'rerank' }, { signature });
    near(rankScores(info, [one([1, 1], [0]), one([1, 1], [Math.log(3)])]), [0.5, 0.75]);
    near(rankScores(info, [one([1, 1], [-2])], { raw: true }), [-2]);
    expect(refusal(() => rankScores(info, [one([1, 2], [1, 2])])).message).toContain('one logit');
  });
});

describe('zero-shot', () => {
  const nli = infoOf({}, { signature, labels: ['entailment', 'neutral', 'contradiction'] });
  const items = [one([1, 3], [Math.log(3), 9, 0]), one([1, 3], [0, 9, 0])];

  it('puts each label into the template, dollar signs and all', () => {
    expect(zeroShotUnits(['t', 'u'], ['a$&', 'b'], 'It is {}.')).toEqual([
      ['t', 'It is a$&.'],
      ['t', 'It is b.'],
      ['u', 'It is a$&.'],
      ['u', 'It is b.'],
    ]);
  });

  it('shares one probability, or judges each label by itself', () => {
    const labels = ['a', 'b'];
    near(zeroShotScores(nli, items, { texts: 1, labels })[0]!, [0.75, 0.25]);
    near(zeroShotScores(nli, items, { texts: 1, labels, multiLabel: true })[0]!, [0.75, 0.5]);
    near(zeroShotScores(nli, items.slice(0, 1), { texts: 1, labels: ['a'] })[0]!, [0.75]);
  });

  it('needs an entailment', () => {
    const info = infoOf({}, { signature, labels: ['x', 'y'] });
    expect(refusal(() => zeroShotScores(info, [], { texts: 0, labels: [] })).message).toContain('got x, y');
  });
});

describe('embeddings', () => {
  const outputs = [spec('other', 'float32', ['b']), spec('last_hidden_state', 'float32', ['b', 't', 2])];
  const info = (embedding: object): ReturnType<typeof infoOf> =>
    infoOf({ task: 'embedding', embedding }, { signature: { inputs: [], outputs } });
  // Three tokens of its own, then padding that would spoil everything.
  const item = {
    outputs: [tensorOf('float32', [1], [5]), tensorOf('float32', [1, 4, 2], [1, 2, 3, -4, 5, 0, 99, 99])],
  };
  const result = resultOf([item], [{ tokens: 3, truncated: false }]);

  it.each([
    ['mean', [3, -2 / 3]],
    ['cls', [1, 2]],
    ['max', [5, 2]],
    ['lasttoken', [5, 0]],
    ['mean_sqrt_len_tokens', [9 / Math.sqrt(3), -2 / Math.sqrt(3)]],
  ])('%s is over the own tokens of the text', (pooling, expected) => {
    near([...embeddingsOf(info({ pooling }), result)[0]!], expected);
  });

  it('are normalised after they are cut', () => {
    near([...embeddingsOf(info({ pooling: 'cls' }), result, { normalize: true })[0]!], [1, 2].map((x) => x / Math.sqrt(5))); // prettier-ignore
    near([...embeddingsOf(info({ pooling: 'cls', normalize: true }), result, { dimensions: 1 })[0]!], [1]);
    expect(refusal(() => embeddingsOf(info({}), result, { dimensions: 3 })).message).toContain('at most 2');
  });

  it('that the model has pooled itself are taken as they are', () => {
    const pooled = infoOf({}, { signature: { inputs: [], outputs: [spec('sentence_embedding', 'float32', ['b', 3])] } }); // prettier-ignore
    near([...embeddingsOf(pooled, resultOf([one([1, 3], [1, 2, 3])]))[0]!], [1, 2, 3]);
  });
});

describe('windows of a text', () => {
  it('are told by their source', () => {
    const facts = [0, 0, 1, 2].map((source) => ({ tokens: 1, truncated: false, source }));
    expect(itemsByText(4, facts)).toEqual([[0, 1], [2], [3]]);
    expect(itemsByText(2, undefined)).toEqual([[0], [1]]);
  });

  it('become one by the largest score or the mean', () => {
    const windows = [[{ label: 'a', score: 0.2 }], [{ label: 'a', score: 0.6 }]];
    near(combineScores(windows, 'max').map(({ score }) => score), [0.6]); // prettier-ignore
    near(combineScores(windows, 'mean').map(({ score }) => score), [0.4]); // prettier-ignore
    near([...meanVector([Float32Array.of(1, 2), Float32Array.of(3, 6)])], [2, 4]);
  });

  it('keep the longest of entities that overlap, then the likeliest', () => {
    const entity = (start: number, end: number, score: number): { start: number; end: number; score: number; word: string } => ({ start, end, score, word: '' }); // prettier-ignore
    const kept = withoutOverlaps([
      entity(5, 9, 0.9),
      entity(0, 3, 0.5),
      entity(4, 9, 0.1),
      entity(0, 3, 0.7),
    ]);
    expect(kept).toEqual([entity(0, 3, 0.7), entity(4, 9, 0.1)]);
  });
});
