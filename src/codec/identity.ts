import type { Payload } from '../executor/join.js';
import type { Tensor } from '../tensor.js';

/**
 * What makes two inputs of one model the same: equal strings for equal inputs, and only for those. They hold the whole
 * input; a digest would cost more than it saves on inputs this small.
 */

/** No id has this as its higher half. */
const POOLED = '\uffff';

/** The odd character between keeps a pair from being taken for a longer text, the last one pooled from whole. */
export const identityOfText = ({ ids, typeIds, pool }: Extract<Payload, { kind: 'text' }>): string =>
  identityOfIds(ids) +
  (typeIds === undefined ? '' : `|${identityOfIds(typeIds)}`) +
  (pool === undefined ? '' : POOLED);

/** The ids themselves, two characters each. */
const identityOfIds = (ids: Int32Array): string => {
  let identity = '';
  for (const id of ids) identity += String.fromCharCode(id & 0xffff, id >>> 16);
  return identity;
};

/** As an id it would be 16,711,935, beyond any vocabulary: tensors are never taken for a text. */
const TENSORS = '\u00ff\u00ff';

/**
 * Dims and bytes of every tensor, in order; the dtypes are the model's. Equal means the same bytes: 0 and -0 differ.
 * Only characters up to 255, so that V8 keeps one byte each.
 */
export const identityOfTensors = (tensors: readonly Tensor[]): string =>
  TENSORS + tensors.map(({ dims, data }) => `${dims.join(',')}:${contentOf(data)}`).join('');

/** The dims before it say how much of it there is; strings, which they do not, are JSON. */
const contentOf = (data: Tensor['data']): string =>
  Array.isArray(data)
    ? JSON.stringify(data)
    : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1');

/** Bytes that the tensors hold; two for each character of a string. */
export const bytesOf = (tensors: readonly Tensor[]): number =>
  tensors.reduce((bytes, { data }) => bytes + sizeOf(data), 0);

const sizeOf = (data: Tensor['data']): number =>
  Array.isArray(data) ? data.reduce((bytes, text) => bytes + 2 * text.length, 0) : data.byteLength;
