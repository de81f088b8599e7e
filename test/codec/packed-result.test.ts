import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { packedArrays, packResult, unpackResult } from '../../src/codec/packed-result.js';
import type { InferResult } from '../../src/infer.js';
import { allocate, DTYPES, elementCount, sliceRows } from '../../src/tensor.js';
import type { DType, Tensor } from '../../src/tensor.js';
import { tensorOf, valuesOf } from '../protocol/support.js';

const timings = { encodeMs: 1, queueMs: 2, runMs: 3, batchRows: 4 };
const resultOf = (items: readonly (readonly Tensor[])[]): InferResult => ({
  items: items.map((outputs) => ({ outputs })),
  timings,
});
/** Typed arrays of different realms are never equal. */
const plain = ({ items, ...rest }: InferResult): object => ({
  ...rest,
  items: items.map(({ outputs }) =>
    outputs.map((tensor) => ({ dtype: tensor.dtype, dims: tensor.dims, values: valuesOf(tensor) })),
  ),
});

const tensorFor = (dtype: DType, dims: readonly number[], seed: number): Tensor => {
  const data = allocate(dtype, elementCount(dims));
  for (let i = 0; i < data.length; i++) {
    const value = (seed * 31 + i) % 100;
    const wide = typeof data[i] === 'bigint' ? BigInt(value) : value;
    data[i] = typeof data[i] === 'string' ? `text ${value}` : wide;
  }
  return { dtype, dims, data };
};

describe('packing a result for the thread', () => {
  it('gives every item its own values back', () => {
    const dims = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });
    const item = (dtypes: readonly DType[]): fc.Arbitrary<Tensor[]> =>
      fc.tuple(
        ...dtypes.map((dtype) => fc.tuple(dims, fc.nat(99)).map(([d, seed]) => tensorFor(dtype, d, seed))),
      );
    const results = fc
      .array(fc.constantFrom(...DTYPES), { minLength: 1, maxLength: 4 })
      .chain((dtypes) => fc.array(item(dtypes), { minLength: 1, maxLength: 6 }))
      .map(resultOf);
    fc.assert(
      fc.property(results, (result) => {
        expect(plain(unpackResult(packResult(result)))).toEqual(plain(result));
      }),
    );
  });

  it('keeps what is known of the texts', () => {
    const texts = [
      { tokens: 3, truncated: false },
      { tokens: 128, truncated: true },
    ];
    const result = { ...resultOf([[tensorOf('float32', [1], [1])], [tensorOf('float32', [1], [2])]]), texts };
    expect(unpackResult(packResult(result)).texts).toEqual(texts);
  });

  it('takes a result without items', () => {
    expect(unpackResult(packResult(resultOf([])))).toEqual(resultOf([]));
  });

  it('sends nothing of the rows beside its own', () => {
    const batch = tensorOf('float32', [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
    const packed = packResult(resultOf([[sliceRows(batch, 1, 2)], [sliceRows(batch, 2, 3)]]));
    const [output] = packed.outputs;
    expect(output && valuesOf({ ...output, dims: [] })).toEqual([3, 4, 5, 6]);
    for (const array of packedArrays(packed))
      if (ArrayBuffer.isView(array)) expect(array.buffer.byteLength).toBe(array.byteLength);
    expect(valuesOf(batch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });
});
