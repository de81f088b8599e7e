import type { InferResult } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import { allocate, type Tensor } from '../../tensor.js';
import type { OipAnswer, OutputAsk } from './answer.js';
import { writeStrings } from './bytes-tensor.js';
import { classified } from './classification.js';
import { gather, joined, type Gathered } from './gather.js';

/** An answer, sorted by how each output travels. */
export interface Sorted {
  /** For the renderer: `binaryBytes` is set where the output is binary. */
  readonly answer: OipAnswer;
  /** For the renderer: one tensor an output; without data where it is binary. */
  readonly result: InferResult;
  /** What follows the JSON, in order. */
  readonly binary: readonly Uint8Array[];
}

/** What a request asked for, out of its result. */
export const wantedOutput = async (
  info: ModelInfo,
  result: InferResult,
  ask: OutputAsk,
): Promise<Gathered> => {
  const whole = gather(info, result, ask.index);
  if (ask.classes === undefined) return whole;
  const tensor = await classified(joined(whole), ask.classes, info.labels);
  return { dtype: tensor.dtype, dims: tensor.dims, parts: [tensor] };
};

export const sortOutputs = async (
  info: ModelInfo,
  answer: OipAnswer,
  result: InferResult,
): Promise<Sorted> => {
  const asks: OutputAsk[] = [];
  const tensors: Tensor[] = [];
  const binary: Uint8Array[] = [];
  for (const ask of answer.outputs) {
    const output = await wantedOutput(info, result, ask);
    if (!ask.binary) {
      asks.push(ask);
      tensors.push(joined(output));
      continue;
    }
    const chunks = output.parts.map(bytesOf);
    asks.push({ ...ask, binaryBytes: chunks.reduce((sum, { byteLength }) => sum + byteLength, 0) });
    tensors.push({ dtype: output.dtype, dims: output.dims, data: allocate(output.dtype, 0) });
    for (const chunk of chunks) binary.push(chunk);
  }
  const { timings } = result;
  return { answer: { ...answer, outputs: asks }, result: { items: [{ outputs: tensors }], timings }, binary };
};

/** The elements on the wire: a view, but for strings. */
export const bytesOf = ({ data }: Tensor): Uint8Array =>
  Array.isArray(data) ? writeStrings(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
