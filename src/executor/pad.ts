import { CarpoolError } from '../errors.js';
import type { Signature } from '../models/signature.js';
import { allocate, joinRows, type Tensor } from '../tensor.js';
import type { RaggedTexts } from './protocol.js';

/** Names of the tensors that an encoded text becomes; absent ones are not fed. */
export interface TextInputs {
  readonly ids: string;
  readonly mask: string | undefined;
  readonly types: string | undefined;
  readonly positions: string | undefined;
  /** Tokens of every row, where the file fixes them. */
  readonly length?: number;
}

/** Tokens of every row of a text model that was exported with a fixed sequence length; undefined where any will do. */
export const fixedLengthOf = ({ inputs }: Signature): number | undefined =>
  inputs.map(({ shape }) => shape[1]).find((dim) => typeof dim === 'number');

/**
 * Finds the inputs of a Hugging Face encoder by their usual names.
 * @throws MODEL_LOAD_FAILED when the ids are missing, an input is none of the four, one is no int64 `[batch, sequence]`,
 * or two are of different fixed lengths
 */
export const textInputsOf = (signature: Signature): TextInputs => {
  const { inputs } = signature;
  const length = fixedLengthOf(signature);
  const known = ['input_ids', 'attention_mask', 'token_type_ids', 'position_ids'] as const;
  for (const { name, dtype, shape } of inputs) {
    if (!known.some((expected) => expected === name))
      throw new CarpoolError(
        'MODEL_LOAD_FAILED',
        `input '${name}' can't be made from a text: expected only ${known.join(', ')}`,
      );
    if (dtype !== 'int64' || shape.length !== 2)
      throw new CarpoolError(
        'MODEL_LOAD_FAILED',
        `input '${name}' is ${dtype}[${shape.join(',')}], expected int64[batch,sequence] for a text model`,
      );
    if (typeof shape[1] === 'number' && shape[1] !== length)
      throw new CarpoolError(
        'MODEL_LOAD_FAILED',
        `input '${name}' takes ${shape[1]} tokens, expected ${length ?? 'any number'} as the others`,
      );
  }
  const find = (name: (typeof known)[number]): string | undefined =>
    inputs.find((spec) => spec.name === name)?.name;
  const ids = find('input_ids');
  if (ids === undefined)
    throw new CarpoolError(
      'MODEL_LOAD_FAILED',
      `a text model needs the input 'input_ids'; this one has none`,
    );
  return {
    ids,
    mask: find('attention_mask'),
    types: find('token_type_ids'),
    positions: find('position_ids'),
    ...(length === undefined ? {} : { length }),
  };
};

/** A little-endian machine keeps an int64 as (low, high) 32-bit words; every platform ONNX Runtime ships for is one. */
const LOW_WORD = 0;
const WORDS_PER_INT64 = 2;

/**
 * Ragged token ids -> the rectangle that the model wants: int64 `[texts, longest]` (or the length that the file fixes),
 * filled up with `padId` and mask 0.
 *
 *   ids [2 9 3 | 2 7 7 8 3]  lengths [3 5]   ->   ids  2 9 3 0 0    mask 1 1 1 0 0
 *                                                      2 7 7 8 3         1 1 1 1 1
 *
 * Writes the low words of a zeroed int64 array through an Int32Array view: no BigInt per element (ids are never
 * negative, so the high words stay 0).
 */
export const padTexts = (batch: RaggedTexts, inputs: TextInputs, padId: number): Map<string, Tensor> => {
  const rows = batch.lengths.length;
  const longest = batch.lengths.reduce((max, length) => Math.max(max, length), 0);
  const columns = inputs.length ?? longest;
  if (longest > columns)
    throw new CarpoolError(
      'INTERNAL',
      `a text of ${longest} tokens for a model of ${columns}: a bug in encode`,
    );
  const feeds = new Map<string, Tensor>();
  const rectangle = (name: string | undefined): Int32Array | undefined => {
    if (name === undefined) return undefined;
    const data = new BigInt64Array(rows * columns);
    feeds.set(name, { dtype: 'int64', dims: [rows, columns], data });
    return new Int32Array(data.buffer);
  };
  const ids = rectangle(inputs.ids);
  const mask = rectangle(inputs.mask);
  const types = rectangle(inputs.types);
  const positions = rectangle(inputs.positions);

  let read = 0;
  for (let row = 0; row < rows; row++) {
    const length = batch.lengths[row] ?? 0;
    for (let column = 0; column < columns; column++) {
      const word = (row * columns + column) * WORDS_PER_INT64 + LOW_WORD;
      const real = column < length;
      if (ids) ids[word] = real ? (batch.ids[read + column] ?? padId) : padId;
      if (mask && real) mask[word] = 1;
      if (types && real && batch.typeIds) types[word] = batch.typeIds[read + column] ?? 0;
      if (positions) positions[word] = column;
    }
    read += length;
  }
  return feeds;
};

/**
 * Fills a batch up to the model's fixed size with copies of its last row (a real row: zeros may be out of a model's
 * domain). The caller cuts the answers back to the real rows.
 */
export const fillRows = (tensor: Tensor, size: number): Tensor => {
  const rows = tensor.dims[0] ?? 0;
  if (rows === size) return tensor;
  const stride = rows === 0 ? 0 : tensor.data.length / rows;
  const last: Tensor = {
    dtype: tensor.dtype,
    dims: [1, ...tensor.dims.slice(1)],
    data: tensor.data.slice((rows - 1) * stride),
  };
  return joinRows([tensor, ...new Array<Tensor>(size - rows).fill(last)]);
};

/** A tensor of the same dtype and dims in memory of its own, so that it can be transferred and the original kept. */
export const copyTensor = (tensor: Tensor): Tensor => {
  if (Array.isArray(tensor.data)) return { ...tensor, data: [...tensor.data] };
  const data = allocate(tensor.dtype, tensor.data.length);
  if (!Array.isArray(data)) new Uint8Array(data.buffer).set(bytesOf(tensor.data));
  return { ...tensor, data };
};

const bytesOf = (data: Exclude<Tensor['data'], string[]>): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
