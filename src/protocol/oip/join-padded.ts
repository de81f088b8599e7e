import { allocate, elementCount, sameDims, type Tensor } from '../../tensor.js';

/**
 * Joins tensors along axis 0 whose other axes differ in length, into the left upper corner of each row of `dims`:
 *
 *   [1 2]   [5 6 7]   ->   1 2 0
 *   [3 4]                  3 4 0
 *                          5 6 7
 *
 * Filled up with zeros, and empty strings.
 */
export const joinPadded = (parts: readonly Tensor[], dims: readonly number[]): Tensor => {
  const dtype = parts[0]?.dtype ?? 'float32';
  const data = allocate(dtype, elementCount(dims));
  const stride = elementCount(dims.slice(1));
  let row = 0;
  for (const part of parts) {
    const rows = part.dims[0] ?? 0;
    copyBlock(part, 0, data, row * stride, [rows, ...dims.slice(1)], 0);
    row += rows;
  }
  return { dtype, dims, data };
};

/** Copies what lies below `axis`; equal tails in one piece. */
const copyBlock = (
  source: Tensor,
  from: number,
  target: Tensor['data'],
  to: number,
  dims: readonly number[],
  axis: number,
): void => {
  const sourceTail = source.dims.slice(axis);
  const targetTail = dims.slice(axis);
  if (axis === dims.length - 1 || sameDims(sourceTail, targetTail)) {
    copyRun(source.data, from, target, to, elementCount(sourceTail));
    return;
  }
  const sourceStride = elementCount(sourceTail.slice(1));
  const targetStride = elementCount(targetTail.slice(1));
  for (let i = 0; i < (sourceTail[0] ?? 0); i++)
    copyBlock(source, from + i * sourceStride, target, to + i * targetStride, dims, axis + 1);
};

const copyRun = (
  source: Tensor['data'],
  from: number,
  target: Tensor['data'],
  to: number,
  length: number,
): void => {
  if (Array.isArray(source) || Array.isArray(target)) {
    for (let i = 0; i < length; i++) target[to + i] = source[from + i] ?? '';
    return;
  }
  const width = target.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  bytes.set(new Uint8Array(source.buffer, source.byteOffset + from * width, length * width), to * width);
};
