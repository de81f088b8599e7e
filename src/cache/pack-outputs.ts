import type { ItemOutput } from '../infer.js';
import type { Signature } from '../models/signature.js';
import { bytesPerElement, DTYPES, elementCount, viewOf, type Tensor } from '../tensor.js';

/**
 * One item's outputs as bytes, little-endian, and back. Packed they share no memory with the batch that they rode in,
 * and each unpacking makes fresh tensors, which its answer may move away.
 *
 *   number of tensors u8 │ per tensor: dtype u8, rank u8, dims u32 × rank, bytes u32, data
 *
 * Strings are JSON. Dtypes are positions in DTYPES: a change of that list needs a new version of the envelope.
 */
export const packOutputs = ({ outputs }: ItemOutput): Uint8Array => {
  const data = outputs.map(bytesOf);
  const heads = outputs.reduce((sum, { dims }) => sum + TENSOR_HEAD + 4 * dims.length, 1);
  const packed = Buffer.allocUnsafeSlow(data.reduce((sum, bytes) => sum + bytes.byteLength, heads));
  let at = packed.writeUInt8(outputs.length);
  for (const [i, { dtype, dims }] of outputs.entries()) {
    const bytes = data[i] ?? EMPTY;
    at = packed.writeUInt8(DTYPES.indexOf(dtype), at);
    at = packed.writeUInt8(dims.length, at);
    for (const dim of dims) at = packed.writeUInt32LE(dim, at);
    at = packed.writeUInt32LE(bytes.byteLength, at);
    packed.set(bytes, at);
    at += bytes.byteLength;
  }
  return packed;
};

/** dtype, rank and byte count. */
const TENSOR_HEAD = 6;
const EMPTY = new Uint8Array();

/**
 * @param rows axis 0 that every output must have; undefined = any
 * @returns undefined for bytes that are not this model's outputs, whole and to the last byte
 */
export const unpackOutputs = (
  bytes: Uint8Array,
  { outputs: specs }: Signature,
  rows: number | undefined,
): ItemOutput | undefined => {
  const packed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const outputs: Tensor[] = [];
    if (packed.readUInt8(0) !== specs.length) return undefined;
    let at = 1;
    for (const { dtype } of specs) {
      const isDtype = DTYPES[packed.readUInt8(at)] === dtype;
      const rank = packed.readUInt8(at + 1);
      const dims = Array.from({ length: rank }, (_, axis) => packed.readUInt32LE(at + 2 + 4 * axis));
      const size = packed.readUInt32LE(at + 2 + 4 * rank);
      const from = at + TENSOR_HEAD + 4 * rank;
      at = from + size;
      const data =
        isDtype && at <= packed.byteLength ? dataOf(dtype, dims, packed.subarray(from, at)) : undefined;
      if (data === undefined || (rows !== undefined && dims[0] !== rows)) return undefined;
      outputs.push({ dtype, dims, data });
    }
    return at === packed.byteLength ? { outputs } : undefined;
  } catch {
    // Shorter than it says, or no JSON where strings should be.
    return undefined;
  }
};

const bytesOf = ({ data }: Tensor): Uint8Array =>
  Array.isArray(data)
    ? Buffer.from(JSON.stringify(data))
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

const dataOf = (
  dtype: Tensor['dtype'],
  dims: readonly number[],
  bytes: Buffer,
): Tensor['data'] | undefined => {
  const count = elementCount(dims);
  if (dtype === 'string') {
    const texts: unknown = JSON.parse(bytes.toString());
    const fits = Array.isArray(texts) && texts.length === count;
    return fits && texts.every((text) => typeof text === 'string') ? texts : undefined;
  }
  if (bytes.byteLength !== count * bytesPerElement(dtype)) return undefined;
  return viewOf(dtype, Uint8Array.from(bytes).buffer, 0, count);
};
