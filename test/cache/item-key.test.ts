import { describe, expect, it } from '@jest/globals';
import { itemKey } from '../../src/cache/item-key.js';
import type { Payload } from '../../src/executor/join.js';
import type { Tensor } from '../../src/tensor.js';

const text = (ids: readonly number[], more: object = {}): Payload => ({
  kind: 'text',
  ids: Int32Array.from(ids),
  ...more,
});
const tensors = (...inputs: Tensor[]): Payload => ({
  kind: 'tensors',
  rows: inputs[0]?.dims[0] ?? 1,
  inputs,
});
const f32 = (dims: number[], ...values: number[]): Tensor => ({
  dtype: 'float32',
  dims,
  data: Float32Array.from(values),
});
const strings = (...data: string[]): Tensor => ({ dtype: 'string', dims: [data.length], data });

describe('the key of an input', () => {
  it('is the same for equal inputs, wherever they lie in memory', () => {
    const whole = Int32Array.from([9, 1, 2, 3, 9]);
    expect(itemKey('v', { kind: 'text', ids: whole.subarray(1, 4) })).toBe(itemKey('v', text([1, 2, 3])));
  });

  it('differs for everything that an answer may depend on', () => {
    const payloads = [
      text([1, 2, 3]),
      text([1, 2]),
      text([1, 2, 3, 0]),
      // As UTF-16 these two are lone surrogates, which UTF-8 has no form for.
      text([0xd800]),
      text([0xdfff]),
      text([1, 2, 3], { typeIds: Int32Array.from([0, 0, 1]) }),
      text([1, 2, 3, 0, 0, 1]),
      text([1, 2, 3], { pool: { output: 0, pooling: 'mean' } }),
      text([1, 2, 3], { pool: { output: 0, pooling: 'cls' } }),
      text([1, 2, 3], { pool: { output: 1, pooling: 'mean' } }),
      tensors(f32([1, 2], 0, 1)),
      tensors(f32([2, 1], 0, 1)),
      tensors(f32([1, 2], -0, 1)),
      tensors(f32([1, 2], 0, 1), f32([1, 0])),
      tensors(f32([1, 1], 0), f32([1, 1], 1)),
      tensors({ dtype: 'int32', dims: [1, 2], data: Int32Array.from([0, 0x3f800000]) }),
      tensors(strings('a', 'b')),
      tensors(strings('a","b')),
    ];
    const keys = payloads.map((payload) => itemKey('v', payload));
    expect(new Set(keys).size).toBe(payloads.length);
    expect(itemKey('w', text([1, 2, 3]))).not.toBe(keys[0]);
  });
});
