import type { ModelInfo } from '../../models/model-info.js';
import type { InferResult } from '../../infer.js';
import { jsonOfTensor } from '../json/tensor-json.js';
import type { OipAnswer } from './answer.js';
import { datatypeOf } from './datatypes.js';

/**
 * JSON of an answer: `{"id"?, "model_name", "model_version", "outputs": [{"name", "datatype", "shape", "data"}]}`, data
 * flat and row-major, or `parameters.binary_data_size` in place of `data` for the bytes that follow the JSON.
 *
 * @param result one item, with a tensor for each output asked for, in that order; of binary ones only dtype and shape
 */
export const renderOip = (info: ModelInfo, { id, outputs }: OipAnswer, result: InferResult): string => {
  const tensors = result.items[0]?.outputs ?? [];
  const members = outputs.flatMap(({ name, binaryBytes }, at) => {
    const tensor = tensors[at];
    if (tensor === undefined) return [];
    const { dtype, dims } = tensor;
    const head = `"name":${JSON.stringify(name)},"datatype":"${datatypeOf(dtype)}","shape":[${dims.join(',')}]`;
    const body =
      binaryBytes === undefined
        ? `"data":${jsonOfTensor({ ...tensor, dims: [tensor.data.length] })}`
        : `"parameters":{"binary_data_size":${binaryBytes}}`;
    return [`{${head},${body}}`];
  });
  const echo = id === undefined ? '' : `"id":${JSON.stringify(id)},`;
  const model = `"model_name":${JSON.stringify(info.name)},"model_version":${JSON.stringify(info.card.version)}`;
  return `{${echo}${model},"outputs":[${members.join(',')}]}`;
};
