import type { Payload } from '../executor/join.js';
import { allocate, elementCount, type Tensor, type TensorSpec } from '../tensor.js';
import type { Signature } from './signature.js';

/** Sizes tried for symbolic dimensions that the card does not name, until one runs. */
const GUESSES: readonly number[] = [8, 1, 16, 32, 64, 128, 224];

/**
 * Made-up rows for the self-test and the warm-up: three single rows that differ, one set for every guess of the
 * symbolic dimensions. Floats are uneven numbers in (-1, 1), integers 0 or 1 (an index into almost any table).
 */
export const sampleRows = (signature: Signature, dims: Readonly<Record<string, number>>): Payload[][] => {
  const unknown = signature.inputs.some((spec) =>
    spec.shape.slice(1).some((dim) => typeof dim === 'string' && !Object.hasOwn(dims, dim)),
  );
  return (unknown ? GUESSES : [1]).map((guess) =>
    [0, 1, 2].map((row) => ({
      kind: 'tensors',
      rows: 1,
      inputs: signature.inputs.map((spec, i) => sampleTensor(spec, row * 31 + i * 7, dims, guess)),
    })),
  );
};

const sampleTensor = (
  spec: TensorSpec,
  seed: number,
  dims: Readonly<Record<string, number>>,
  guess: number,
): Tensor => {
  const size = (dim: number | string, axis: number): number => {
    // Axis 0 is the batch, one row; where the file fixes it, the lane fills the row up.
    if (axis === 0) return 1;
    if (typeof dim === 'number') return dim;
    return (Object.hasOwn(dims, dim) ? dims[dim] : undefined) ?? guess;
  };
  const shape = spec.shape.map(size);
  const data = allocate(spec.dtype, elementCount(shape));
  for (let i = 0; i < data.length; i++) {
    const bit = (seed + i * 3 + (i >> 2)) & 1;
    if (Array.isArray(data)) data[i] = `text ${(seed + i) % 10}`;
    else if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(bit);
    else if (data instanceof Float32Array || data instanceof Float64Array) data[i] = Math.sin(seed * 12.9898 + i * 0.731 + 0.5);
    // 0x3c00 is 1.0 as a float16.
    else data[i] = spec.dtype === 'float16' ? bit * 0x3c00 : bit;
  }
  return { dtype: spec.dtype, dims: shape, data };
};
