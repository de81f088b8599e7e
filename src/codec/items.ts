import type { Item } from '#batcher';
import type { Payload } from '../executor/join.js';
import type { PoolSpec } from '../executor/pool-rows.js';
import type { TensorInput } from '../infer.js';
import { servedClass } from '../models/joining.js';
import type { ModelInfo } from '../models/model-info.js';
import { rowLength } from '../models/row-length.js';
import { sliceRows, type Tensor } from '../tensor.js';
import type { EncodedTexts } from './encoded-texts.js';
import { bytesOf, identityOfText, identityOfTensors } from './identity.js';

type TensorPayload = Extract<Payload, { kind: 'tensors' }>;

/** Items of a request that look for twins; looking for those of 10,000 would hold the event loop for 50 ms. */
const MOST_SHARED = 256;
/** Bytes of a request's tensors up to which its items look for twins, for the same reason. */
const MOST_SHARED_BYTES = 65_536;

/**
 * One item a text: its length is its tokens, special ones included, or what the file has all texts filled up to. Where
 * padding leaks, only those with equally many tokens may share a batch.
 */
export const itemsOfTexts = (encoded: EncodedTexts, info: ModelInfo, pool?: PoolSpec): Item<Payload>[] => {
  const onlyEqual = servedClass(info) === 'equal-lengths';
  const kind = pool === undefined ? 'texts' : `texts ${pool.pooling} ${pool.output}`;
  const { ids, typeIds, lengths } = encoded;
  const shares = info.batching.singleFlight && lengths.length <= MOST_SHARED;
  const items: Item<Payload>[] = [];
  let from = 0;
  for (const tokens of lengths) {
    const payload = textPayload(
      ids.subarray(from, from + tokens),
      typeIds?.subarray(from, from + tokens),
      pool,
    );
    const length = info.textLength ?? tokens;
    const item = { rows: 1, length, compat: onlyEqual ? `${kind}:${tokens}` : kind, payload };
    items.push(shares ? { ...item, identity: identityOfText(payload) } : item);
    from += tokens;
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
  const length = info.textLength ?? rowLength(info.signature, tensors);
  const size = info.batch.mode === 'single' ? rows : (info.batch.size ?? rowsOfARun(info, length));
  const shares =
    info.batching.singleFlight && rows <= size * MOST_SHARED && bytesOf(tensors) <= MOST_SHARED_BYTES;
  return chunksOf(tensors, rows, size).map((payload) => {
    const item = { rows: payload.rows, length, compat, payload };
    return shares ? { ...item, identity: identityOfTensors(payload.inputs) } : item;
  });
};

const rowsOfARun = ({ batching: { maxBatch, maxBatchTokens } }: ModelInfo, length: number): number =>
  Math.max(1, Math.min(maxBatch, Math.floor(maxBatchTokens / length)));

const chunksOf = (tensors: readonly Tensor[], rows: number, size: number): TensorPayload[] => {
  if (rows <= size) return [{ kind: 'tensors', rows, inputs: tensors }];
  const chunks: TensorPayload[] = [];
  for (let from = 0; from < rows; from += size) {
    const to = Math.min(rows, from + size);
    const inputs = tensors.map((tensor) => sliceRows(tensor, from, to));
    chunks.push({ kind: 'tensors', rows: to - from, inputs });
  }
  return chunks;
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
