import { describe, expect, it } from '@jest/globals';
import { halfPacker } from '../../../src/codec/half.js';
import { largestDifference } from '../../../src/models/invariance/difference.js';
import type { DType, Tensor, TensorData } from '../../../src/tensor.js';
import { f32, tensor } from '../../support/lanes.js';

const half = halfPacker();
const floats = (value: number): TensorData => Float32Array.of(value);
const doubles = (value: number): TensorData => Float64Array.of(value);
const halves = (word: number): TensorData => Uint16Array.of(word);
const one = (dtype: DType, data: TensorData): Tensor => tensor(dtype, [1], data);

describe('the difference of a row', () => {
  it.each<[string, DType, (value: number) => TensorData, number, number, number]>([
    ['float32 below 1 is absolute', 'float32', floats, 0.5, 0.75, 0.25],
    ['float32 above 1 is relative', 'float32', floats, -8, -6, 0.25],
    ['float64 above 1 is relative', 'float64', doubles, 1e6, 1.5e6, 0.5],
    ['NaN both times is none', 'float32', floats, NaN, NaN, 0],
    ['NaN only together has no distance', 'float32', floats, 1, NaN, Infinity],
    ['infinity both times is none', 'float32', floats, Infinity, Infinity, 0],
    ['infinity of the other sign has no distance', 'float32', floats, Infinity, -Infinity, Infinity],
    ['infinity only together', 'float32', floats, 1, Infinity, Infinity],
    ['float16 one step apart is rounding', 'float16', halves, half(1), half(1) + 1, 0],
    ['large float16 one step apart is rounding', 'float16', halves, half(1000), half(1000) + 1, 0],
    ['float16 a half apart', 'float16', halves, half(1), half(1.5), 0.5],
    ['float16 of the other sign', 'float16', halves, half(1), half(-1), 2],
    ['float16 zeros of either sign', 'float16', halves, half(0), half(-0), 0],
    ['integers one apart have no distance', 'int32', (v) => Int32Array.of(v), 1_000_000, 1_000_001, Infinity],
    ['equal integers', 'uint8', (v) => Uint8Array.of(v), 7, 7, 0],
    ['int64 one apart', 'int64', (v) => BigInt64Array.of(2n ** 60n + BigInt(v)), 0, 1, Infinity],
    ['booleans', 'bool', (v) => Uint8Array.of(v), 0, 1, Infinity],
    ['strings', 'string', (v) => [String(v)], 0, 1, Infinity],
    ['equal strings', 'string', (v) => [String(v)], 1, 1, 0],
  ])('%s', (_, dtype, make, alone, together, difference) => {
    expect(largestDifference(one(dtype, make(alone)), one(dtype, make(together)))).toBe(difference);
  });

  it('is the largest of its values', () => {
    expect(largestDifference(f32([1, 3], [0, 0, 0]), f32([1, 3], [0.25, -0.5, 0.125]))).toBe(0.5);
  });

  it.each<[string, Tensor, Tensor]>([
    ['another dtype', one('int8', Int8Array.of(1)), one('uint8', Uint8Array.of(1))],
    ['less of it', f32([1, 2], [1, 1]), f32([1, 1], [1])],
    ['less of one axis', f32([1, 2, 2], [1, 1, 1, 1]), f32([1, 1, 4], [1, 1, 1, 1])],
    ['another rank', f32([1, 2], [1, 1]), f32([1, 1, 2], [1, 1])],
  ])('is without bounds for %s', (_, alone, joint) => {
    expect(largestDifference(alone, joint)).toBe(Infinity);
  });

  it.each<[string, number[], number[], number[], number[]]>([
    ['an axis in the midst', [1, 2, 2], [1, 2, 3, 4], [1, 3, 2], [1, 2, 3, 4, 99, 99]],
    ['the last axis', [1, 2, 2], [1, 2, 3, 4], [1, 2, 3], [1, 2, 99, 3, 4, 99]],
    ['two axes', [1, 2, 1, 2], [1, 2, 3, 4], [1, 2, 2, 3], [1, 2, 99, 99, 99, 99, 3, 4, 99, 99, 99, 99]],
    ['the only one', [2], [1, 2], [3], [1, 2, 99]],
  ])('leaves out what padding added to %s', (_, dims, values, largerDims, largerValues) => {
    const alone = f32(dims, values);
    expect(largestDifference(alone, f32(largerDims, largerValues))).toBe(0);
    const changed = largerValues.map((value) =>
      value === 4 || (dims.length === 1 && value === 2) ? 0 : value,
    );
    expect(largestDifference(alone, f32(largerDims, changed))).toBe(1);
  });
});
