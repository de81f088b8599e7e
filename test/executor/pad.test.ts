import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { copyTensor, fillRows, padTexts, textInputsOf } from '../../src/executor/pad.js';
import type { RaggedTexts } from '../../src/executor/protocol.js';
import type { TensorSpec } from '../../src/tensor.js';
import { f32, i64, plain, tensor, textsOf } from '../support/lanes.js';

const ALL = { ids: 'input_ids', mask: 'attention_mask', types: 'token_type_ids', positions: 'position_ids' };
const NONE = { ids: 'input_ids', mask: undefined, types: undefined, positions: undefined };

const ragged = (...texts: number[][]): RaggedTexts => {
  const batch = textsOf(...texts);
  if (batch.kind !== 'texts') throw new Error('expected texts');
  return batch;
};

const padded = (
  batch: RaggedTexts,
  inputs: typeof ALL | typeof NONE,
  padId: number,
): Record<string, unknown> =>
  Object.fromEntries([...padTexts(batch, inputs, padId)].map(([name, feed]) => [name, plain(feed)]));

describe('padding', () => {
  it('fills up on the right, with mask 0', () => {
    const typeIds = Int32Array.of(0, 0, 1, 0, 1, 1, 1, 1);
    expect(padded({ ...ragged([2, 9, 3], [2, 7, 7, 8, 3]), typeIds }, ALL, 42)).toEqual({
      input_ids: plain(i64([2, 5], [2, 9, 3, 42, 42, 2, 7, 7, 8, 3])),
      attention_mask: plain(i64([2, 5], [1, 1, 1, 0, 0, 1, 1, 1, 1, 1])),
      token_type_ids: plain(i64([2, 5], [0, 0, 1, 0, 0, 0, 1, 1, 1, 1])),
      position_ids: plain(i64([2, 5], [0, 1, 2, 3, 4, 0, 1, 2, 3, 4])),
    });
  });

  it('goes on to the length that the file fixes, and no text is longer', () => {
    const inputs = { ...ALL, length: 4 };
    expect(padded(ragged([2, 9], [7]), inputs, 42)).toMatchObject({
      input_ids: plain(i64([2, 4], [2, 9, 42, 42, 7, 42, 42, 42])),
      attention_mask: plain(i64([2, 4], [1, 1, 0, 0, 1, 0, 0, 0])),
      position_ids: plain(i64([2, 4], [0, 1, 2, 3, 0, 1, 2, 3])),
    });
    expect(() => padTexts(ragged([1, 2, 3, 4, 5]), inputs, 0)).toThrow('5 tokens for a model of 4');
  });

  it('feeds only what the model takes, and segment 0 where none is given', () => {
    expect(padded(ragged([1], [2]), NONE, 0)).toEqual({ input_ids: plain(i64([2, 1], [1, 2])) });
    expect(padded(ragged([1, 2], [3]), ALL, 0)).toMatchObject({
      token_type_ids: { values: [0n, 0n, 0n, 0n] },
    });
  });

  it('stands an empty text', () => {
    expect(padded(ragged([], [4, 5]), ALL, 9)).toMatchObject({
      input_ids: { dims: [2, 2], values: [9n, 9n, 4n, 5n] },
      attention_mask: { values: [0n, 0n, 1n, 1n] },
    });
    expect(padded(ragged([]), NONE, 9)).toEqual({ input_ids: plain(i64([1, 0], [])) });
  });

  it('keeps every id, up to the largest', () =>
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.nat(2 ** 31 - 1), { maxLength: 9 }), { minLength: 1, maxLength: 9 }),
        fc.nat(2 ** 31 - 1),
        (texts, padId) => {
          const longest = Math.max(...texts.map((ids) => ids.length));
          const rectangle = texts.flatMap((ids) => [
            ...ids,
            ...new Array<number>(longest - ids.length).fill(padId),
          ]);
          const mask = texts.flatMap((ids) =>
            Array.from({ length: longest }, (_, i) => (i < ids.length ? 1 : 0)),
          );
          expect(padded(ragged(...texts), ALL, padId)).toMatchObject({
            input_ids: plain(i64([texts.length, longest], rectangle)),
            attention_mask: plain(i64([texts.length, longest], mask)),
          });
        },
      ),
    ));
});

describe('the inputs of a text model', () => {
  const int64 = (name: string, shape: TensorSpec['shape'] = ['batch', 'sequence']): TensorSpec => ({
    name,
    dtype: 'int64',
    shape,
  });
  const of = (...inputs: TensorSpec[]): unknown => textInputsOf({ inputs, outputs: [] });

  it('are found by their usual names, in any order', () => {
    expect(of(int64('attention_mask'), int64('input_ids'))).toEqual({ ...NONE, mask: 'attention_mask' });
    expect(
      of(int64('position_ids'), int64('token_type_ids'), int64('attention_mask'), int64('input_ids')),
    ).toEqual(ALL);
  });

  it('say the length that the file fixes', () => {
    expect(of(int64('input_ids', ['batch', 16]))).toEqual({ ...NONE, length: 16 });
    expect(of(int64('attention_mask'), int64('input_ids', [2, 16]))).toMatchObject({ length: 16 });
  });

  it.each([
    [
      [int64('input_ids', ['batch', 16]), int64('attention_mask', ['batch', 8])],
      /'attention_mask' takes 8 tokens, expected 16 as the others/,
    ],
    [[int64('attention_mask')], /needs the input 'input_ids'/],
    [
      [int64('input_ids'), int64('pixels')],
      /input 'pixels' can't be made from a text: expected only input_ids, /,
    ],
    [
      [{ ...int64('input_ids'), dtype: 'int32' as const }],
      /'input_ids' is int32\[batch,sequence\], expected int64/,
    ],
    [[int64('input_ids', ['batch'])], /'input_ids' is int64\[batch\], expected int64\[batch,sequence\]/],
  ])('%# are refused where no text can be put', (inputs, message) => {
    expect(() => of(...inputs)).toThrow(
      expect.objectContaining({ code: 'MODEL_LOAD_FAILED', message: expect.stringMatching(message) }),
    );
  });
});

describe('filling up to a fixed batch', () => {
  it('repeats the last row', () => {
    expect(plain(fillRows(f32([2, 2], [1, 2, 3, 4]), 4))).toEqual(
      plain(f32([4, 2], [1, 2, 3, 4, 3, 4, 3, 4])),
    );
    expect(plain(fillRows(i64([1], [2n ** 60n]), 3))).toEqual(
      plain(i64([3], [2n ** 60n, 2n ** 60n, 2n ** 60n])),
    );
    const strings = fillRows(tensor('string', [1, 2], ['a', 'b']), 2);
    expect(plain(strings)).toEqual(plain(tensor('string', [2, 2], ['a', 'b', 'a', 'b'])));
  });

  it('leaves a full batch as it is', () => {
    const full = f32([2, 1], [1, 2]);
    expect(fillRows(full, 2)).toBe(full);
  });
});

describe('copying', () => {
  it('is in memory of its own, of the part that a view shows', () => {
    const data = Float64Array.of(1, 2, 3);
    const copy = copyTensor(tensor('float64', [2], data.subarray(1)));
    data.fill(0);
    expect(plain(copy)).toEqual({ dtype: 'float64', dims: [2], values: [2, 3] });
    expect(copy.data).toHaveLength(2);
  });
});
