import { optionalFlag, optionsOf, parametersOf } from '../oip/parameters.js';
import { outputAsks } from '../oip/parse-outputs.js';
import type { OipAnswer } from '../oip/answer.js';
import { tensorOfBytes } from '../oip/binary-tensor.js';
import { inputOf, type Source } from '../oip/sources.js';
import { readShape } from '../oip/shape.js';
import { refuse } from '../own/fields.js';
import type { ParseView } from '../own/parse.js';
import type { InferOptions, InferRequest } from '../../infer.js';
import { tensorOfContents } from './contents.js';
import type { InferInputTensor, ModelInferRequest } from './messages.js';
import { bodyOf } from './parameters.js';

export interface ParsedInfer {
  readonly request: InferRequest;
  /** All outputs binary (raw_output_contents), or none (typed contents). */
  readonly answer: OipAnswer;
}

/** @throws CarpoolError INVALID_REQUEST (naming the tensor), PAYLOAD_TOO_LARGE (more than `view.maxRows` rows) */
export const parseInferRequest = (message: ModelInferRequest, view: ParseView): ParsedInfer => {
  requireOneForm(message);
  const sources = message.inputs.map((input, at) => sourceOf(input, message.raw_input_contents[at]));
  const input = inputOf(sources, view);
  return {
    request: { model: view.name, input, options: optionsIn(message) },
    answer: answerOf(message, view),
  };
};

export const optionsIn = ({ parameters }: ModelInferRequest): InferOptions =>
  optionsOf(parametersOf({ parameters: bodyOf(parameters) }, 'request'));

/**
 * Raw contents unless `binary_data_output: false` asks for typed ones: clients of Triton read raw ones even where they
 * sent typed ones.
 */
export const answerOf = (message: ModelInferRequest, { signature }: ParseView): OipAnswer => {
  const raw = optionalFlag(bodyOf(message.parameters), 'binary_data_output', 'request') ?? true;
  const wanted = message.outputs.map(({ name, parameters }) => ({
    name,
    parameters: { ...bodyOf(parameters), binary_data: raw },
  }));
  const outputs = outputAsks(wanted, signature, raw);
  return { kind: 'oip', outputs, ...(message.id === '' ? {} : { id: message.id }) };
};

/** @throws CarpoolError INVALID_REQUEST where some tensors are raw and others are not, or one is both */
export const requireOneForm = ({ inputs, raw_input_contents: raws }: ModelInferRequest): void => {
  if (raws.length === 0) return;
  if (raws.length !== inputs.length)
    throw refuse(
      'raw_input_contents',
      `expected one for each of the ${inputs.length} inputs or none at all, got ${raws.length}`,
    );
  const typed = inputs.find(({ contents }) => contents !== null);
  if (typed !== undefined)
    throw refuse(placeOf(typed), 'expected either contents or raw_input_contents, got both');
};

const placeOf = ({ name }: InferInputTensor): string => `inputs.${name.slice(0, 128)}`;

const sourceOf = (input: InferInputTensor, raw: Uint8Array | undefined): Source => {
  const { name, datatype, contents } = input;
  const dims = readShape(input.shape.map(Number), placeOf(input));
  parametersOf({ parameters: bodyOf(input.parameters) }, placeOf(input));
  return {
    ...{ name, datatype, dims },
    read: (spec, shape, where) =>
      raw === undefined
        ? tensorOfContents(contents, spec, shape, where)
        : tensorOfBytes(raw, spec, shape, where),
  };
};
