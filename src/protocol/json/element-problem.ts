import type { DType } from '../../tensor.js';
import { describe } from './describe.js';
import { BIGINT_RANGE, INTEGER_RANGE } from './element-writer.js';

const RANGES: Partial<Record<DType, readonly [number | bigint, number | bigint]>> = {
  ...INTEGER_RANGE,
  ...BIGINT_RANGE,
};

/** Why `value` can't be an element of `dtype`: what was expected and what came. */
export const elementProblem = (dtype: DType, value: unknown): string => {
  const came = describe(value);
  if (dtype === 'string') return `expected a string, got ${came}`;
  if (dtype === 'bool') return `expected true or false (or 1 or 0), got ${came}`;
  if (typeof value !== 'number' && typeof value !== 'bigint')
    return `expected a ${dtype} number, got ${came}`;
  const range = RANGES[dtype];
  if (range === undefined) return `${came} is out of range for ${dtype}`;
  if (typeof value === 'number' && Number.isFinite(value) && !Number.isInteger(value))
    return `expected an integer (${dtype}), got ${came}`;
  if (value < range[0] || value > range[1])
    return `${came} is out of range for ${dtype} (${String(range[0])} to ${String(range[1])})`;
  return `expected all digits of an integer beyond 2^53 (${dtype}), got ${came}, which may have been rounded`;
};
