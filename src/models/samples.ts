import type { Payload } from '../executor/join.js';
import { allocate, elementCount, type DType, type Tensor, type TensorSpec } from '../tensor.js';
import type { BatchAxis } from './batch-axis.js';
import type { Signature } from './signature.js';

/** Sizes tried for symbolic dimensions that the card does not name, until one runs. */
const GUESSES: readonly number[] = [8, 1, 16, 32, 64, 128, 224];

/** A guess for several dimensions at once grows fast; beyond this many elements it is not tried. */
const MAX_GUESSED_ELEMENTS = 1_000_000;

/**
 * Made-up rows for the self-test and the warm-up: three single rows that differ, one set for every guess of the
 * symbolic dimensions, made when it is asked for. Floats are uneven numbers in (-1, 1), integers 0 or 1 (an index into
 * almost any table).
 *
 * @param axis where it is `none`, a fixed axis 0 is no batch and keeps its declared size
 */
export function* sampleRows(
  { inputs }: Signature,
  dims: Readonly<Record<string, number>>,
  axis: BatchAxis['kind'],
): Generator<Payload[]> {
  const unknown = inputs.some((spec) =>
    spec.shape.slice(1).some((dim) => typeof dim === 'string' && !Object.hasOwn(dims, dim)),
  );
  for (const guess of unknown ? GUESSES : [1]) {
    const shapes = inputs.map((spec) => shapeOf(spec, dims, guess, axis));
    if (unknown && shapes.some((shape) => elementCount(shape) > MAX_GUESSED_ELEMENTS)) continue;
    yield [0, 1, 2].map((row) => ({
      kind: 'tensors',
      rows: 1,
      inputs: inputs.map((spec, i) => sampleTensor(spec.dtype, shapes[i] ?? [], row * 31 + i * 7)),
    }));
  }
}

const shapeOf = (
  { shape }: TensorSpec,
  dims: Readonly<Record<string, number>>,
  guess: number,
  axis: BatchAxis['kind'],
): number[] =>
  shape.map((dim, at) => {
    // One row; where the file fixes the batch, the lane fills the row up.
    if (at === 0 && (axis !== 'none' || typeof dim === 'string')) return 1;
    if (typeof dim === 'number') return dim;
    return (Object.hasOwn(dims, dim) ? dims[dim] : undefined) ?? guess;
  });

/** @param scale factor of the floats; the default keeps them in (-1, 1) */
export const sampleTensor = (dtype: DType, shape: readonly number[], seed: number, scale = 1): Tensor => {
  const data = allocate(dtype, elementCount(shape));
  for (let i = 0; i < data.length; i++) {
    const bit = (seed + i * 3 + (i >> 2)) & 1;
    if (Array.isArray(data)) data[i] = `text ${(seed + i) % 10}`;
    else if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(bit);
    else if (data instanceof Float32Array || data instanceof Float64Array)
      data[i] = scale * Math.sin(seed * 12.9898 + i * 0.731 + 0.5);
    // 0x3c00 is 1.0 as a float16.
    else data[i] = dtype === 'float16' ? bit * 0x3c00 : bit;
  }
  return { dtype, dims: shape, data };
};
