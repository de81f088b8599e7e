import type { InferRequest } from '../../infer.js';
import type { Parsed } from '../parse.js';
import { describe, isList, quoted } from '../json/describe.js';
import { type Body, field, objectBody, refuse } from './fields.js';
import type { InferAnswer } from './answer.js';
import { inferOptions, OPTION_KEYS } from './options.js';
import { imageParts } from './parse-images.js';
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

interface Parts extends Pick<InferRequest, 'input' | 'options'> {
  readonly answer?: Omit<InferAnswer, 'kind'>;
}

const partsOf = (body: Body, view: ParseView): Parts => {
  if (field(body, 'images') !== undefined) return imageParts(body, view);
  return hasTexts(body) ? textParts(body, view.maxRows) : tensorParts(body, view);
};

const tensorParts = (body: Body, view: ParseView): Parts => {
  for (const key of TEXT_BODY_KEYS)
    if (field(body, key) !== undefined && !isOption(key))
      throw refuse(key, 'means something for texts only, got "inputs"');
  return { input: tensorInput(field(body, 'inputs'), view), options: inferOptions(body) };
};

const isOption = (key: string): boolean => OPTION_KEYS.some((option) => option === key);

/**
 * Body of `POST /v1/models/M/infer`: `{"inputs": rows | {name: nested}, "outputs"?: [names], "timeoutMs"?, "priority"?}`
 * or, for models that take texts, `{"texts": […], "outputs"?, …}` with all that `/predict` takes; or, for images,
 * `{"images": ["<base64>", …], "top_k"?, …}`; no other keys.
 * Bare rows are a short form for models with one input.
 *
 * @throws CarpoolError INVALID_REQUEST (naming tensor and row), PAYLOAD_TOO_LARGE (more than `view.maxRows` rows)
 */
export const parseInfer = (body: unknown, view: ParseView): Parsed => {
  const object = objectBody(body, ['inputs', 'texts', 'outputs', ...TEXT_BODY_KEYS, 'images']);
  const outputs = outputNames(object, view);
  const texts = hasTexts(object);
  const images = field(object, 'images') !== undefined;
  const given = [field(object, 'inputs') !== undefined, texts, images].filter(Boolean).length;
  if (given !== 1) {
    const other = view.takesImages === true ? 'images' : 'texts';
    const takes = view.takesTexts || view.takesImages === true ? `"${other}" or "inputs"` : '"inputs"';
    throw refuse('body', `expected ${takes}, got ${given === 0 ? 'neither' : 'both'}`);
  }
  if (texts && !view.takesTexts)
    throw refuse(
      'texts',
      `${view.name} takes no texts; expected "inputs" with ${describeInputs(view.signature)}`,
    );
  const { input, answer = {}, ...parts } = partsOf(object, view);
  const options = { ...parts.options, ...(outputs === undefined ? {} : { outputs }) };
  return {
    request: { model: view.name, input, options },
    answer: { kind: 'infer', ...answer },
  };
};
