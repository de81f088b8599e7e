import type { InferRequest } from '../../infer.js';
import type { Parsed } from '../parse.js';
import { describe, isList, quoted } from '../json/describe.js';
import { type Body, field, objectBody, refuse } from './fields.js';
import { inferOptions } from './options.js';
import { describeInputs, type ParseView, tensorInput } from './parse-inputs.js';
import { textInput } from './parse-texts.js';

const outputNames = (body: Body, { signature }: ParseView): readonly string[] | undefined => {
  const names = field(body, 'outputs');
  if (names === undefined) return undefined;
  const known = signature.outputs.map(({ name }) => name);
  if (!isList(names)) throw refuse('outputs', `expected a list of names, got ${describe(names)}`);
  return names.map((name, index) => {
    if (typeof name === 'string' && known.includes(name)) return name;
    const came = typeof name === 'string' ? quoted(name) : describe(name);
    throw refuse(`outputs[${index}]`, `expected one of ${known.join(', ')}; got ${came}`);
  });
};

const inputOf = (body: Body, view: ParseView): InferRequest['input'] => {
  const inputs = field(body, 'inputs');
  const texts = field(body, 'texts');
  if ((inputs === undefined) === (texts === undefined)) {
    const takes = view.takesTexts ? '"texts" or "inputs"' : '"inputs"';
    throw refuse('body', `expected ${takes}, got ${inputs === undefined ? 'neither' : 'both'}`);
  }
  if (texts !== undefined) {
    if (view.takesTexts) return textInput(texts, view.maxRows);
    throw refuse(
      'texts',
      `${view.name} takes no texts; expected "inputs" with ${describeInputs(view.signature)}`,
    );
  }
  if (field(body, 'truncate') !== undefined)
    throw refuse('truncate', 'only texts can be truncated, got "inputs"');
  return tensorInput(inputs, view);
};

/**
 * Body of `POST /v1/models/M/infer`: `{"inputs": rows | {name: nested}, "outputs"?: [names], "timeoutMs"?, "priority"?}` or, for
 * models that take texts, `{"texts": […], "outputs"?, "timeoutMs"?, "priority"?, "truncate"?}`, no other keys.
 * Bare rows are a short form for models with one input.
 *
 * @throws CarpoolError INVALID_REQUEST (naming tensor and row), PAYLOAD_TOO_LARGE (more than `view.maxRows` rows)
 */
export const parseInfer = (body: unknown, view: ParseView): Parsed => {
  const object = objectBody(body, ['inputs', 'texts', 'outputs', 'timeoutMs', 'priority', 'truncate']);
  const outputs = outputNames(object, view);
  const options = { ...inferOptions(object), ...(outputs === undefined ? {} : { outputs }) };
  return { request: { model: view.name, input: inputOf(object, view), options }, answer: { kind: 'infer' } };
};
