import { joinRows, sliceRows, type Tensor } from '../tensor.js';
import type { ItemOutput } from '../infer.js';
import { CarpoolError } from '../errors.js';
import { copyTensor } from './pad.js';
import type { PoolSpec } from './pool-rows.js';
import type { LaneBatch, LaneOutput } from './protocol.js';

/** What an item of the batcher carries. The payload is kept until the answer is in: a lost lane's batch runs again. */
export type Payload =
  | {
      readonly kind: 'text';
      readonly ids: Int32Array;
      /** Segment ids; absent = all 0. */ readonly typeIds?: Int32Array;
      /** The same in all of a group: it is part of the compat key. */
      readonly pool?: PoolSpec;
    }
  | { readonly kind: 'tensors'; readonly rows: number; readonly inputs: readonly Tensor[] };

/** Payloads of one group -> one message, always in fresh memory (it is transferred away). */
export const joinPayloads = (payloads: readonly Payload[]): LaneBatch => {
  const texts = payloads.flatMap((payload) => (payload.kind === 'text' ? [payload] : []));
  if (texts.length === payloads.length) return joinTexts(texts);
  const tensors = payloads.flatMap((payload) => (payload.kind === 'tensors' ? [payload] : []));
  const first = tensors[0];
  if (first === undefined || tensors.length !== payloads.length)
    throw new CarpoolError('INTERNAL', 'texts and tensors in one group: a bug in compat keys');
  if (tensors.length === 1)
    // A model without a batch axis has inputs that joinRows could not handle, scalars say.
    return { kind: 'tensors', rows: first.rows, inputs: first.inputs.map(copyTensor) };
  return {
    kind: 'tensors',
    rows: tensors.reduce((rows, payload) => rows + payload.rows, 0),
    inputs: first.inputs.map((_, i) => joinRows(tensors.map((payload) => inputAt(payload.inputs, i)))),
  };
};

const joinTexts = (texts: readonly Extract<Payload, { kind: 'text' }>[]): LaneBatch => {
  const lengths = Int32Array.from(texts, ({ ids }) => ids.length);
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const ids = new Int32Array(tokens);
  const typeIds = texts.some((text) => text.typeIds !== undefined) ? new Int32Array(tokens) : undefined;
  const pool = texts[0]?.pool;
  let offset = 0;
  for (const text of texts) {
    ids.set(text.ids, offset);
    if (text.typeIds !== undefined) typeIds?.set(text.typeIds, offset);
    offset += text.ids.length;
  }
  return {
    kind: 'texts',
    ids,
    lengths,
    ...(typeIds === undefined ? {} : { typeIds }),
    ...(pool === undefined ? {} : { pool }),
  };
};

/**
 * A run's outputs -> each item's own rows, as views.
 *
 * @param rows rows of each item, in the order joined
 * @param joinable false for a model that is run one request at a time: its single item gets the outputs whole
 * @throws EXECUTION_FAILED when an output's axis 0 is not the number of rows: nothing is handed out by guess
 */
export const splitOutput = (output: LaneOutput, rows: readonly number[], joinable: boolean): ItemOutput[] => {
  if (!joinable && rows.length === 1) return [{ outputs: output.outputs }];
  const total = rows.reduce((sum, n) => sum + n, 0);
  output.outputs.forEach((tensor, i) => {
    if (tensor.dims[0] !== total)
      throw new CarpoolError(
        'EXECUTION_FAILED',
        `output ${i} has shape [${tensor.dims.join(',')}] for ${total} rows; expected axis 0 to be the batch`,
      );
  });
  let from = 0;
  return rows.map((n) => {
    const start = from;
    from += n;
    return { outputs: output.outputs.map((tensor) => sliceRows(tensor, start, from)) };
  });
};

const inputAt = (inputs: readonly Tensor[], i: number): Tensor => {
  const tensor = inputs[i];
  if (tensor === undefined) throw new CarpoolError('INTERNAL', `item without input ${i}: a bug in encode`);
  return tensor;
};
