import type { ModelInfo } from '../../models/model-info.js';
import { isBatched } from '../own/batch-axis.js';
import type { Tensor, TensorSpec } from '../../tensor.js';
import { datatypeOf, wireShape, type Datatype } from './datatypes.js';

/** Only what works. */
export const EXTENSIONS: readonly string[] = [
  'binary_tensor_data',
  'classification',
  'parameters',
  'model_configuration',
  'model_repository',
  'schedule_policy',
  'statistics',
];

export const PLATFORM = 'onnxruntime_onnx';

export interface TensorMetadata {
  readonly name: string;
  readonly datatype: Datatype;
  /** -1 where the caller chooses. */
  readonly shape: readonly number[];
}

export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
}

/** The ONNX inputs and outputs; a batch of fixed size is any number of rows here, since it is run in chunks. */
export const modelMetadata = (
  { name, card, signature, batch }: ModelInfo,
  versions: readonly string[] = [card.version],
): ModelMetadata => {
  const view = (spec: TensorSpec, batched: boolean): TensorMetadata => {
    const shape = wireShape(spec.shape);
    return {
      name: spec.name,
      datatype: datatypeOf(spec.dtype),
      shape: batched ? [-1, ...shape.slice(1)] : shape,
    };
  };
  return {
    name,
    versions,
    platform: PLATFORM,
    inputs: signature.inputs.map((spec) => view(spec, isBatched(spec, signature, batch))),
    outputs: signature.outputs.map((spec) => view(spec, batch.mode !== 'single')),
  };
};

export type DataType = `TYPE_${Exclude<Datatype, 'BYTES'> | 'STRING'}`;

export interface TensorConfig {
  readonly name: string;
  readonly data_type: DataType;
  /** Without the batch where `max_batch_size` is above 0. */
  readonly dims: readonly number[];
}

const dataTypeOf = (dtype: Tensor['dtype']): DataType => {
  const datatype = datatypeOf(dtype);
  return datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`;
};

/** Triton's model configuration, as far as it says something here. */
export interface ModelConfig {
  readonly name: string;
  readonly platform: string;
  readonly backend: string;
  /** Most rows of one run; larger requests are split. 0: rows are not joined. */
  readonly max_batch_size: number;
  readonly input: readonly TensorConfig[];
  readonly output: readonly TensorConfig[];
  readonly dynamic_batching?: {
    readonly max_queue_delay_microseconds: number;
    readonly default_queue_policy: {
      readonly timeout_action: 'REJECT';
      readonly default_timeout_microseconds: number;
      readonly allow_timeout_override: boolean;
      readonly max_queue_size: number;
    };
  };
}

export const modelConfig = ({ name, signature, batch, batching }: ModelInfo): ModelConfig => {
  const joins = batch.mode !== 'single';
  const view = ({ name: tensor, dtype, shape }: TensorSpec): TensorConfig => ({
    name: tensor,
    data_type: dataTypeOf(dtype),
    dims: wireShape(joins ? shape.slice(1) : shape),
  });
  const { maxBatch, maxWaitMs, timeoutMs, maxQueue } = batching;
  const policy = {
    timeout_action: 'REJECT',
    default_timeout_microseconds: Math.round(timeoutMs * 1000),
    allow_timeout_override: true,
    max_queue_size: maxQueue,
  } as const;
  return {
    name,
    platform: PLATFORM,
    backend: 'onnxruntime',
    max_batch_size: joins ? (batch.size ?? maxBatch) : 0,
    input: signature.inputs.map(view),
    output: signature.outputs.map(view),
    ...(joins
      ? {
          dynamic_batching: {
            max_queue_delay_microseconds: Math.round(maxWaitMs * 1000),
            default_queue_policy: policy,
          },
        }
      : {}),
  };
};
