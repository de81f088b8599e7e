import { unpackHalves } from '../../codec/half.js';
import type { Tensor, TensorData } from '../../tensor.js';

/** Relative. Neighbouring float16 values lie up to 2^-10 apart, so that rounding alone makes one or two such steps. */
const HALF_ROUNDING = 2 ** -9;

/**
 * How far a row's output is from what it is alone: relative above 1, absolute below. Infinity where values that are no
 * floats differ at all, and where NaN came or went. Tails that are longer than alone (`[1, 5, n]` alone, `[1, 9, n]`
 * padded) are compared over the part that both have.
 */
export const largestDifference = (alone: Tensor, joint: Tensor): number => {
  const { dtype, dims } = alone;
  if (dtype !== joint.dtype || dims.length !== joint.dims.length) return Infinity;
  if (dims.some((dim, axis) => dim > (joint.dims[axis] ?? 0))) return Infinity;
  const ofAlone = comparable(alone);
  const ofJoint = comparable(joint);
  let largest = 0;
  for (const [a, b, count] of commonRuns(dims, joint.dims))
    for (let i = 0; i < count; i++)
      largest = Math.max(largest, differenceOf(dtype, ofAlone[a + i], ofJoint[b + i]));
  return largest;
};

const differenceOf = (
  dtype: Tensor['dtype'],
  a: TensorData[number] | undefined,
  b: TensorData[number] | undefined,
): number => {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  if (typeof a !== 'number' || typeof b !== 'number' || !dtype.startsWith('float')) return Infinity;
  const distance = Math.abs(a - b);
  if (dtype === 'float16' && distance <= HALF_ROUNDING * Math.abs(a)) return 0;
  const difference = distance / Math.max(1, Math.abs(a));
  return Number.isNaN(difference) ? Infinity : difference;
};

/**
 * Where the elements of a small tensor stand in a larger one, as `[from here, from there, how many]`:
 *
 *     a b     a b .
 *     c d     c d .      [0, 0, 2] [2, 3, 2]
 *             . . .
 */
function* commonRuns(
  small: readonly number[],
  large: readonly number[],
): Generator<readonly [number, number, number]> {
  // Axes from `equal` on have the same size: their elements lie together in both.
  let equal = small.length;
  while (equal > 0 && small[equal - 1] === large[equal - 1]) equal--;
  const inner = Math.max(0, equal - 1);
  const sizeFrom = (dims: readonly number[], axis: number): number =>
    dims.slice(axis).reduce((product, dim) => product * dim, 1);
  const count = sizeFrom(small, inner);
  const runs = sizeFrom(small.slice(0, inner), 0);
  for (let run = 0; run < runs; run++) {
    let rest = run;
    let there = 0;
    for (let axis = inner - 1; axis >= 0; axis--) {
      const size = small[axis] ?? 1;
      there += (rest % size) * sizeFrom(large, axis + 1);
      rest = Math.floor(rest / size);
    }
    yield [run * count, there, count];
  }
}

/** float16 is carried as raw words, which say nothing about distance. */
const comparable = ({ dtype, data }: Tensor): TensorData =>
  dtype === 'float16' && !Array.isArray(data)
    ? unpackHalves(new Uint16Array(data.buffer, data.byteOffset, data.length))
    : data;
