import type { Card } from '../models/card.js';

export type Pooling = Card['embedding']['pooling'];

/**
 * Vectors `[tokens, size]` to one, as sentence-transformers' Pooling does.
 * @param values row-major; only the first `tokens` rows are looked at
 */
export const pool = (
  values: ArrayLike<number>,
  tokens: number,
  size: number,
  pooling: Pooling,
): Float32Array => {
  switch (pooling) {
    case 'cls':
      return row(values, 0, size);
    case 'lasttoken':
      return row(values, tokens - 1, size);
    case 'max':
      return largest(values, tokens, size);
    case 'mean':
      return scaledSum(values, tokens, size, 1 / tokens);
    case 'mean_sqrt_len_tokens':
      return scaledSum(values, tokens, size, 1 / Math.sqrt(tokens));
  }
};

const row = (values: ArrayLike<number>, at: number, size: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => values[at * size + i] ?? NaN);

const largest = (values: ArrayLike<number>, tokens: number, size: number): Float32Array => {
  const vector = new Float32Array(size).fill(-Infinity);
  for (let at = 0, token = 0; token < tokens; token++)
    for (let i = 0; i < size; i++, at++) vector[i] = Math.max(vector[i] ?? NaN, values[at] ?? NaN);
  return vector;
};

const scaledSum = (values: ArrayLike<number>, tokens: number, size: number, scale: number): Float32Array => {
  // In doubles: sums of thousands of float32 would lose the digits that we promise.
  const sum = new Float64Array(size);
  for (let at = 0, token = 0; token < tokens; token++)
    for (let i = 0; i < size; i++, at++) sum[i] = (sum[i] ?? NaN) + (values[at] ?? NaN);
  return Float32Array.from(sum, (value) => value * scale);
};
