import type { InferResult, ItemOutput, StageTimings } from '../infer.js';
import { encodedArrays, encodedOf, factsOf, type EncodedTexts } from './encoded-texts.js';
import { bytesPerElement, elementCount, viewOf } from '../tensor.js';
import type { DType, NumericData, Tensor } from '../tensor.js';

/**
 * A result on its way to the codec thread. The items' tensors are views into the buffers of whole batches, and posting
 * a view clones all of its buffer, neighbours' rows included; so each output's values are copied into one buffer of
 * the request's own. Flat, because thousands of small objects are what makes a message slow.
 */
export interface PackedResult {
  readonly items: number;
  /** In the order of the signature's outputs. */
  readonly outputs: readonly PackedOutput[];
  readonly texts?: EncodedTexts;
  readonly timings: StageTimings;
}

export interface PackedOutput {
  readonly dtype: DType;
  /** For each item its rank and then its dimensions. */
  readonly shapes: Int32Array;
  /** The values of all items, one after the other. */
  readonly data: NumericData | string[];
}

export const packResult = (result: InferResult): PackedResult => {
  const { items, texts, timings } = result;
  return {
    items: items.length,
    outputs: (items[0]?.outputs ?? []).map((_, index) => packOutput(items, index)),
    timings,
    ...(texts === undefined ? {} : { texts: encodedOf(texts) }),
  };
};

export const unpackResult = (packed: PackedResult): InferResult => {
  const outputs = packed.outputs.map((output) => unpackOutput(output, packed.items));
  const items = Array.from({ length: packed.items }, (_, item): ItemOutput => ({
    outputs: outputs.flatMap((tensors) => tensors[item] ?? []),
  }));
  const { texts, timings } = packed;
  return texts === undefined ? { items, timings } : { items, timings, texts: factsOf(texts) };
};

/** Plain loops: this runs on the event loop, for 10,000 items too. */
const packOutput = (items: readonly ItemOutput[], index: number): PackedOutput => {
  const shapes: number[] = [];
  const texts: string[] = [];
  let dtype: DType = 'float32';
  let elements = 0;
  for (const { outputs } of items) {
    const tensor = outputs[index];
    if (tensor === undefined) continue;
    dtype = tensor.dtype;
    elements += tensor.data.length;
    shapes.push(tensor.dims.length);
    for (const dim of tensor.dims) shapes.push(dim);
    if (Array.isArray(tensor.data)) for (const text of tensor.data) texts.push(text);
  }
  if (dtype === 'string') return { dtype, shapes: new Int32Array(shapes), data: texts };
  const bytes = new Uint8Array(elements * bytesPerElement(dtype));
  let offset = 0;
  for (const { outputs } of items) {
    const data = outputs[index]?.data;
    if (data === undefined || Array.isArray(data)) continue;
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return { dtype, shapes: new Int32Array(shapes), data: viewOf(dtype, bytes.buffer, 0, elements) };
};

const unpackOutput = ({ dtype, shapes, data }: PackedOutput, items: number): Tensor[] => {
  const tensors: Tensor[] = [];
  for (let item = 0, at = 0, from = 0; item < items; item++) {
    const rank = shapes[at] ?? 0;
    const dims = [...shapes.subarray(at + 1, at + 1 + rank)];
    const to = from + elementCount(dims);
    tensors.push({ dtype, dims, data: Array.isArray(data) ? data.slice(from, to) : data.subarray(from, to) });
    at += 1 + rank;
    from = to;
  }
  return tensors;
};

/** Everything in it that may be moved to another thread. */
export const packedArrays = ({ outputs, texts }: PackedResult): (ArrayBufferView | readonly string[])[] => [
  ...outputs.flatMap(({ shapes, data }) => [shapes, data]),
  ...(texts === undefined ? [] : encodedArrays(texts)),
];
