import { describe, expect, it } from '@jest/globals';
import type { InferResult } from '../../../src/infer.js';
import { differenceOf } from '../../../src/models/versions/compare.js';
import { f32, i64 } from '../../support/lanes.js';
import type { Tensor } from '../../../src/tensor.js';

const answer = (...items: readonly (readonly Tensor[])[]): InferResult => ({
  items: items.map((outputs) => ({ outputs })),
  timings: { encodeMs: 0, queueMs: 0, runMs: 0, batchRows: 1 },
});

describe('two answers', () => {
  it('differ by the largest difference of any item and output', () => {
    const one = answer([f32([1, 2], [0.5, 1]), i64([1], [3])], [f32([1, 2], [0, 100]), i64([1], [4])]);
    const other = answer([f32([1, 2], [0.5, 1.25]), i64([1], [3])], [f32([1, 2], [0, 101]), i64([1], [4])]);
    expect(differenceOf(one, one)).toBe(0);
    expect(differenceOf(one, other)).toBeCloseTo(0.25);
  });

  it.each([
    ['another class', answer([i64([1], [4])])],
    ['another shape', answer([i64([1, 1], [3])])],
    ['another type', answer([f32([1], [3])])],
    ['another number of outputs', answer([i64([1], [3]), i64([1], [3])])],
    ['another number of items', answer([i64([1], [3])], [i64([1], [3])])],
    ['a longer axis', answer([i64([2], [3, 3])])],
  ])('differ wholly with %s', (_, other) => {
    expect(differenceOf(answer([i64([1], [3])]), other)).toBe(Infinity);
  });
});
