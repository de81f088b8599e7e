import { CarpoolError } from '../../errors.js';
import type { InferResult } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import { bytesPerElement, elementCount, joinRows, sameDims, type Tensor } from '../../tensor.js';
import { joinPadded } from './join-padded.js';

/** An output of a whole request. */
export interface Gathered {
  readonly dtype: Tensor['dtype'];
  readonly dims: readonly number[];
  /** Its data, one part behind the other: views into the batches that the request's items rode in. */
  readonly parts: readonly Tensor[];
}

/** Larger answers are not put together: neither a string nor a buffer could hold much more. */
const MOST_BYTES = 2 ** 29;

/**
 * One output of all items. Where the items' tails differ (texts of different lengths), the rows are filled up with zeros
 * to the longest, and what the model said of a text's padding is left out: the answer does not depend on the company.
 * @throws CarpoolError PAYLOAD_TOO_LARGE, EXECUTION_FAILED where the ranks differ
 */
export const gather = (info: ModelInfo, result: InferResult, index: number): Gathered => {
  const tokens = tokensPerItem(info, result, index);
  const parts = result.items.map(({ outputs }, item) => {
    const tensor = outputs[index];
    if (tensor === undefined)
      throw new CarpoolError('INTERNAL', `${info.name}: a result lacks output ${index}`);
    return tokens === undefined ? tensor : cutRow(tensor, tokens[item] ?? Infinity);
  });
  const [first] = parts;
  if (first === undefined) throw new CarpoolError('INTERNAL', `${info.name}: a result without items`);
  const { dtype } = first;
  if (parts.length === 1) return { dtype, dims: first.dims, parts };
  const tail = first.dims.slice(1);
  const isRagged = parts.some(({ dims }) => !sameDims(dims.slice(1), tail));
  const rows = parts.reduce((sum, { dims }) => sum + (dims[0] ?? 0), 0);
  const dims = [rows, ...(isRagged ? longestTail(parts, info, index) : tail)];
  const bytes = elementCount(dims) * Math.max(1, bytesPerElement(dtype));
  if (bytes > MOST_BYTES)
    throw new CarpoolError(
      'PAYLOAD_TOO_LARGE',
      `the output [${dims.join(',')}] has ${bytes} bytes, at most ${MOST_BYTES} can be sent; ask for fewer rows`,
    );
  return { dtype, dims, parts: isRagged ? [joinPadded(parts, dims)] : parts };
};

/** In one piece. */
export const joined = ({ dtype, dims, parts }: Gathered): Tensor => {
  const [first, second] = parts;
  return first !== undefined && second === undefined ? { ...first, dtype, dims } : joinRows(parts);
};

/** Of texts, where axis 1 of this output is the one along which the tokens lie. */
const tokensPerItem = (
  { signature }: ModelInfo,
  { texts, items }: InferResult,
  index: number,
): readonly number[] | undefined => {
  if (texts?.length !== items.length) return undefined;
  const axis = signature.outputs[index]?.shape[1];
  const sequence = signature.inputs[0]?.shape[1];
  if (typeof axis !== 'string' || axis !== sequence) return undefined;
  return texts.map((text) => text.tokens);
};

/** The first `length` entries along axis 1 of a tensor of one row. */
const cutRow = (tensor: Tensor, length: number): Tensor => {
  const [rows, longest = 0, ...tail] = tensor.dims;
  if (rows !== 1 || longest <= length) return tensor;
  const end = length * elementCount(tail);
  const data = Array.isArray(tensor.data) ? tensor.data.slice(0, end) : tensor.data.subarray(0, end);
  return { dtype: tensor.dtype, dims: [1, length, ...tail], data };
};

const longestTail = (parts: readonly Tensor[], info: ModelInfo, index: number): number[] => {
  const ranks = new Set(parts.map(({ dims }) => dims.length));
  if (ranks.size > 1)
    throw new CarpoolError(
      'EXECUTION_FAILED',
      `${info.name}: output ${index} has different ranks for the rows of one request: ${[...ranks].join(', ')}`,
    );
  const [first, ...others] = parts.map(({ dims }) => dims.slice(1));
  return others.reduce((tail, dims) => tail.map((dim, axis) => Math.max(dim, dims[axis] ?? 0)), first ?? []);
};
