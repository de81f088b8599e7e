import type { InferRequest } from '../../infer.js';
import type { Parsed } from '../parse.js';
import { describe, isList, quoted } from '../json/describe.js';
import { type Body, field, objectBody, refuse } from './fields.js';
import type { TextAnswer } from './answer.js';
import { inferOptions, OPTION_KEYS } from './options.js';
import { describeInputs, type ParseView, tensorInput } from './parse-inputs.js';
import { TEXT_BODY_KEYS, textParts } from './parse-predict.js';
import { hasTexts } from './parse-texts.js';

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

const tensorParts = (body: Body, view: ParseView): Pick<InferRequest, 'input' | 'options'> => {
  for (const key of TEXT_BODY_KEYS)
    if (field(body, key) !== undefined && !isOption(key))
      throw refuse(key, 'means something for texts only, got "inputs"');
  return { input: tensorInput(field(body, 'inputs'), view), options: inferOptions(body) };
};

const isOption = (key: string): boolean => OPTION_KEYS.some((option) => option === key);

/**
 * Body of `POST /v1/models/M/infer`: `{"inputs": rows | {name: nested}, "outputs"?: [names], "timeoutMs"?, "priority"?}`
 * or, for models that take texts, `{"texts": […], "outputs"?, …}` with all that `/predict` takes; no other keys.
 * Bare rows are a short form for models with one input.
 *
 * @throws CarpoolError INVALID_REQUEST (naming tensor and row), PAYLOAD_TOO_LARGE (more than `view.maxRows` rows)
 */
export const parseInfer = (body: unknown, view: ParseView): Parsed => {
  const object = objectBody(body, ['inputs', 'texts', 'outputs', ...TEXT_BODY_KEYS]);
  const outputs = outputNames(object, view);
  const texts = hasTexts(object);
  if ((field(object, 'inputs') === undefined) === !texts) {
    const takes = view.takesTexts ? '"texts" or "inputs"' : '"inputs"';
    throw refuse('body', `expected ${takes}, got ${texts ? 'both' : 'neither'}`);
  }
  if (texts && !view.takesTexts)
    throw refuse(
      'texts',
      `${view.name} takes no texts; expected "inputs" with ${describeInputs(view.signature)}`,
    );
  const { answer = {}, ...parts }: ReturnType<typeof tensorParts> & { readonly answer?: TextAnswer } = texts
    ? textParts(object, view.maxRows)
    : tensorParts(object, view);
  const options = { ...parts.options, ...(outputs === undefined ? {} : { outputs }) };
  return {
    request: { model: view.name, input: parts.input, options },
    answer: { kind: 'infer', ...answer },
  };
};
