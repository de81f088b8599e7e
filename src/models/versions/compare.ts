import type { InferResult } from '../../infer.js';
import { largestDifference } from '../invariance/difference.js';

/**
 * The largest difference between two answers to one request, over all items and outputs: absolute below 1, relative
 * above; Infinity where shapes, types, or values that are no floats differ.
 */
export const differenceOf = (answer: InferResult, other: InferResult): number => {
  if (answer.items.length !== other.items.length) return Infinity;
  let largest = 0;
  for (const [i, { outputs }] of answer.items.entries()) {
    const others = other.items[i]?.outputs ?? [];
    if (outputs.length !== others.length) return Infinity;
    for (const [o, tensor] of outputs.entries()) {
      const mate = others[o];
      if (mate?.dims.join() !== tensor.dims.join()) return Infinity;
      largest = Math.max(largest, largestDifference(tensor, mate));
    }
  }
  return largest;
};
