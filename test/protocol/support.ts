import { codeOf, type ErrorCode, messageOf } from '../../src/errors.js';
import type { InferRequest, InferResult, ItemOutput } from '../../src/infer.js';
import { cardSchema } from '../../src/models/card.js';
import { batchingSchema } from '../../src/config/batching.js';
import type { ModelInfo } from '../../src/models/model-info.js';
import { allocate, type DType, type Tensor, type TensorSpec } from '../../src/tensor.js';

/** What a call is refused with; a call that is not refused fails the test. */
export const refusal = (call: () => unknown): { code: ErrorCode; message: string } => {
  try {
    call();
  } catch (error) {
    return { code: codeOf(error), message: messageOf(error) };
  }
  throw new Error('expected a refusal, got an answer');
};

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export const spec = (name: string, dtype: DType, shape: TensorSpec['shape']): TensorSpec => ({
  name,
  dtype,
  shape,
});

export const tensorOf = (
  dtype: DType,
  dims: readonly number[],
  values: readonly (number | bigint | string)[],
): Tensor => {
  const data = allocate(dtype, values.length);
  for (const [index, value] of values.entries()) Object.assign(data, { [index]: value });
  return { dtype, dims, data };
};

/** The elements as a plain list: typed arrays of different realms are never equal. */
export const valuesOf = ({ data }: Tensor): (number | bigint | string)[] => [...data];

export const infoOf = (card: object, parts: Partial<ModelInfo> = {}): ModelInfo => ({
  name: 'm',
  card: cardSchema.parse(card),
  signature: { inputs: [], outputs: [] },
  batch: { mode: 'dynamic' },
  batching: batchingSchema.parse({}),
  takesTexts: false,
  loadedAt: '2026-01-02T03:04:05.000Z',
  ...parts,
});

export const requestOf = (options: InferRequest['options'] = {}): InferRequest => ({
  model: 'm',
  input: { kind: 'texts', texts: [] },
  options,
});

export const resultOf = (items: readonly ItemOutput[], texts?: InferResult['texts']): InferResult => ({
  items,
  ...(texts === undefined ? {} : { texts }),
  timings: { encodeMs: 0, queueMs: 0, runMs: 0, batchRows: 1 },
});
