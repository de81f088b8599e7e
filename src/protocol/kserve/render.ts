import { CarpoolError } from '../../errors.js';
import type { InferRequest, InferResult } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import type { Tensor } from '../../tensor.js';
import { jsonOfTensor } from '../json/tensor-json.js';
import { hfTexts } from '../huggingface/render.js';
import type { KserveAnswer } from './answer.js';

/**
 * `{"predictions": [row, …]}` or `{"outputs": tensor | {name: tensor}}`; names only where there are several outputs. For
 * texts a row is the answer of the model's task, as the Hugging Face API has it.
 * @throws CarpoolError INVALID_REQUEST where rows are wanted of a model that has none, EXECUTION_FAILED for odd outputs
 */
export const renderKserve = (
  info: ModelInfo,
  { columnar }: KserveAnswer,
  request: InferRequest,
  result: InferResult,
): string => {
  const key = columnar ? 'outputs' : 'predictions';
  if (result.texts !== undefined) {
    const texts = hfTexts(info, { kind: 'hf', single: false }, request, result);
    return `{"${key}":[${texts.join(',')}]}`;
  }
  return `{"${key}":${columnar ? columns(info, result) : `[${rows(info, result).join(',')}]`}}`;
};

const columns = ({ name, signature }: ModelInfo, { items }: InferResult): string => {
  const members = signature.outputs.map((output, index) => {
    const tensors = items.map(({ outputs }) => tensorAt(name, outputs, index));
    return [JSON.stringify(output.name), columnJson(tensors)] as const;
  });
  const [only, another] = members;
  if (only !== undefined && another === undefined) return only[1];
  return `{${members.map(([key, json]) => `${key}:${json}`).join(',')}}`;
};

/** A lone tensor as it is: it may have no batch axis. */
const columnJson = (tensors: readonly Tensor[]): string => {
  const [first, ...others] = tensors;
  if (first !== undefined && others.length === 0) return jsonOfTensor(first);
  return `[${tensors.map((tensor) => jsonOfTensor(tensor).slice(1, -1)).join(',')}]`;
};

const rows = ({ name, signature }: ModelInfo, { items }: InferResult): string[] =>
  items.flatMap(({ outputs }) => {
    const tensors = signature.outputs.map((_, index) => tensorAt(name, outputs, index));
    const count = tensors[0]?.dims[0];
    if (count === undefined || tensors.some(({ dims }) => dims[0] !== count))
      throw new CarpoolError(
        'INVALID_REQUEST',
        `instances: the outputs of ${name} have no common rows; send "inputs", which are answered by tensor`,
      );
    const [only, another] = tensors;
    if (only !== undefined && another === undefined)
      return count === 0 ? [] : [jsonOfTensor(only).slice(1, -1)];
    return Array.from({ length: count }, (_, row) => {
      const members = signature.outputs.map((output, index) => {
        const tensor = tensorAt(name, tensors, index);
        return `${JSON.stringify(output.name)}:${jsonOfTensor(tensor, row, row + 1).slice(1, -1)}`;
      });
      return `{${members.join(',')}}`;
    });
  });

const tensorAt = (model: string, outputs: readonly Tensor[], index: number): Tensor => {
  const tensor = outputs[index];
  if (tensor === undefined) throw new CarpoolError('INTERNAL', `${model}: a result lacks output ${index}`);
  return tensor;
};
