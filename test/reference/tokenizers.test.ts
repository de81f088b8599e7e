import { describe, expect, it } from '@jest/globals';
import { codePointCounter } from '../../src/codec/code-points.js';
import type { EncodedText } from '../../src/codec/assemble.js';
import { goldenOf, nameOf, TEXT_MODELS, tokenizerOf, unitOf, type CutIds, type TextCase } from './golden.js';

/** Case names where `differs`. */
const off = (cases: readonly TextCase[], differs: (one: TextCase) => boolean): string[] =>
  cases.filter(differs).map(nameOf);

const same = (got: EncodedText, { ids, type_ids: typeIds }: CutIds): boolean =>
  String(got.ids) === String(ids) &&
  (typeIds === undefined || String(got.typeIds ?? ids.map(() => 0)) === String(typeIds));

it('has every kind of tokenizer to compare with', () => {
  expect(TEXT_MODELS).toHaveLength(14);
});

describe.each(TEXT_MODELS)('%s', (model) => {
  const { cases, max_tokens: maxTokens } = goldenOf(model);
  const tokenizer = tokenizerOf(model);
  const long = cases.filter(({ cut }) => cut !== undefined);

  it('gives the same ids and type ids', () => {
    expect(off(cases, (one) => !same(tokenizer.encode(unitOf(one)), one))).toEqual([]);
  });

  it('gives the same ids where offsets are wanted', () => {
    const encode = (one: TextCase): EncodedText =>
      tokenizer.encode(unitOf(one), { wants: { offsets: true } });
    expect(off(cases, (one) => !same(encode(one), one))).toEqual([]);
  });

  it.each([
    ['right', 'cut'],
    ['left', 'cut_left'],
  ] as const)('cuts what is too long at the %s', (side, key) => {
    expect(off(long, (one) => !same(tokenizer.encode(unitOf(one), { maxTokens, side }), one[key]!))).toEqual(
      [],
    );
  });

  it('cuts nothing that fits', () => {
    const short = cases.filter(({ cut }) => cut === undefined);
    expect(off(short, (one) => tokenizer.encode(unitOf(one), { maxTokens }).truncated)).toEqual([]);
  });

  it('says where each token stands', () => {
    const differs = (one: TextCase): boolean => {
      const { offsets = [], ofPair = [] } = tokenizer.encode(unitOf(one), { wants: { offsets: true } });
      return String(inCodePoints(one, offsets, ofPair)) !== String(one.offsets);
    };
    expect(off(cases, differs)).toEqual([]);
  });

  it('makes the same text of the ids', () => {
    expect(off(cases, ({ ids, decoded }) => tokenizer.decode(ids, true) !== decoded)).toEqual([]);
  });
});

const inCodePoints = (
  { text, pair = '' }: TextCase,
  offsets: readonly number[],
  ofPair: readonly number[],
): number[] => {
  const count = { text: codePointCounter(text), pair: codePointCounter(pair) };
  return offsets.map((at, i) => (ofPair[i >> 1] === 1 ? count.pair(at) : count.text(at)));
};
