import type { Item } from '#batcher';
import type { Payload } from '../executor/join.js';
import type { PoolSpec } from '../executor/pool-rows.js';
import type { TensorInput } from '../infer.js';
import type { ModelInfo } from '../models/model-info.js';
import { sliceRows, type Tensor } from '../tensor.js';
import type { EncodedTexts } from './encoded-texts.js';

/** Texts of a request that look for twins; looking for those of 10,000 would hold the event loop for 50 ms. */
const MOST_SHARED = 256;

/** One item a text: its length is its tokens, special ones included. */
export const itemsOfTexts = (
  encoded: EncodedTexts,
  { batching }: ModelInfo,
  pool?: PoolSpec,
): Item<Payload>[] => {
  const compat = pool === undefined ? 'texts' : `texts ${pool.pooling} ${pool.output}`;
  const { ids, typeIds, lengths } = encoded;
  const shares = batching.singleFlight && lengths.length <= MOST_SHARED;
  const items: Item<Payload>[] = [];
  let from = 0;
  for (const length of lengths) {
    const payload = textPayload(
      ids.subarray(from, from + length),
      typeIds?.subarray(from, from + length),
      pool,
    );
    const item = { rows: 1, length, compat, payload };
    items.push(shares ? { ...item, identity: identityOfText(payload) } : item);
    from += length;
  }
  return items;
};

/**
 * Rows of tensors, split so that no item is larger than a batch; in order, so that the answers join again. A model that
 * runs one request at a time gets its request whole. Only rows with equal tails (and dtypes, which the model fixes) may
 * share a batch: that is the compat key.
 */
export const itemsOfTensors = ({ tensors, rows }: TensorInput, info: ModelInfo): Item<Payload>[] => {
  const compat = tensors.map(({ dims }) => dims.slice(1).join(',')).join('|');
  const size = info.batch.mode === 'single' ? rows : (info.batch.size ?? info.batching.maxBatch);
  if (rows <= size) return [{ rows, length: 1, compat, payload: { kind: 'tensors', rows, inputs: tensors } }];
  const items: Item<Payload>[] = [];
  for (let from = 0; from < rows; from += size) {
    const to = Math.min(rows, from + size);
    const inputs = tensors.map((tensor) => sliceRows(tensor, from, to));
    items.push({ rows: to - from, length: 1, compat, payload: { kind: 'tensors', rows: to - from, inputs } });
  }
  return items;
};

/** One item an image: those of one size ride together, whichever request they came by. */
export const itemsOfImages = (tensors: readonly Tensor[]): Item<Payload>[] =>
  tensors.map((tensor) => ({
    rows: 1,
    length: 1,
    compat: tensor.dims.slice(1).join(','),
    payload: { kind: 'tensors', rows: 1, inputs: [tensor] },
  }));

type TextPayload = Extract<Payload, { kind: 'text' }>;

const textPayload = (
  ids: Int32Array,
  typeIds: Int32Array | undefined,
  pool: PoolSpec | undefined,
): TextPayload => {
  const payload = { kind: 'text', ids, ...(pool === undefined ? {} : { pool }) } as const;
  return typeIds?.some((typeId) => typeId !== 0) === true ? { ...payload, typeIds } : payload;
};

/** No id has this as its higher half. */
const POOLED = '\uffff';

/** The odd character between keeps a pair from being taken for a longer text, the last one pooled from whole. */
const identityOfText = ({ ids, typeIds, pool }: TextPayload): string =>
  identityOf(ids) +
  (typeIds === undefined ? '' : `|${identityOf(typeIds)}`) +
  (pool === undefined ? '' : POOLED);

/** The ids themselves, two characters each: equal for equal texts and only for those, and cheaper than a digest. */
const identityOf = (ids: Int32Array): string => {
  let identity = '';
  for (const id of ids) identity += String.fromCharCode(id & 0xffff, id >>> 16);
  return identity;
};
