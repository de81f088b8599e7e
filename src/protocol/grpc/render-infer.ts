import type { InferResult } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import type { OipAnswer } from '../oip/answer.js';
import { datatypeOf } from '../oip/datatypes.js';
import { joined } from '../oip/gather.js';
import { bytesOf, wantedOutput } from '../oip/outputs.js';
import { contentsOf } from './contents.js';
import type { InferOutputTensor, ModelInferResponse } from './messages.js';

/** Raw contents are views where an output rode in one run, one copy where in several. */
export const inferResponse = async (
  info: ModelInfo,
  { id = '', outputs }: OipAnswer,
  result: InferResult,
): Promise<ModelInferResponse> => {
  const tensors: InferOutputTensor[] = [];
  const raws: Uint8Array[] = [];
  for (const ask of outputs) {
    const output = await wantedOutput(info, result, ask);
    const head = { name: ask.name, datatype: datatypeOf(output.dtype), shape: output.dims };
    if (ask.binary) {
      tensors.push(head);
      raws.push(inOnePiece(output.parts.map(bytesOf)));
    } else tensors.push({ ...head, contents: contentsOf(joined(output)) });
  }
  return {
    model_name: info.name,
    model_version: info.card.version,
    id,
    outputs: tensors,
    raw_output_contents: raws,
  };
};

const inOnePiece = (chunks: readonly Uint8Array[]): Uint8Array => {
  const [first, second] = chunks;
  return first !== undefined && second === undefined ? first : Buffer.concat(chunks);
};
