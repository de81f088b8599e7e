import { endianness } from 'node:os';
import { bytesPerElement, viewOf, type Tensor, type TensorSpec } from '../../tensor.js';
import { refuse } from '../own/fields.js';
import { readStrings } from './bytes-tensor.js';
import { datatypeOf } from './datatypes.js';
import { countOf } from './shape.js';

// The wire is little-endian, and every platform that ONNX Runtime ships for is.
if (endianness() !== 'LE') throw new Error('expected a little-endian machine');

/**
 * A tensor over the bytes of a body: a view where they are aligned to its elements, one copy where not, strings decoded.
 * @throws CarpoolError INVALID_REQUEST with the expected and the given byte counts
 */
export const tensorOfBytes = (
  bytes: Uint8Array,
  { dtype }: TensorSpec,
  dims: readonly number[],
  where: string,
): Tensor => {
  const count = countOf(dims, where);
  if (dtype === 'string') return { dtype, dims, data: readStrings(bytes, count, where) };
  const width = bytesPerElement(dtype);
  const expected = count * width;
  if (bytes.byteLength !== expected)
    throw refuse(
      where,
      `expected ${expected} bytes for ${datatypeOf(dtype)} [${dims.join(',')}], got ${bytes.byteLength}`,
    );
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return { dtype, dims, data: viewOf(dtype, aligned.buffer, aligned.byteOffset, count) };
};
