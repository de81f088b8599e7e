import { AGGREGATIONS } from '../../codec/tasks/index.js';
import type { InferRequest, TextUnit } from '../../infer.js';
import { describe, isList, isObject } from '../json/describe.js';
import { type Body, field, optionalCount, optionalFlag, refuse } from '../own/fields.js';
import { zeroShotInput } from '../own/zero-shot-fields.js';
import {
  limitRows,
  looseBody,
  looseMember,
  oneOf,
  refusePrompt,
  stringAt,
  strings,
  truncation,
} from '../common/loose.js';
import type { Parsed } from '../parse.js';
import { similarityInputs } from '../tei/parse.js';
import type { HfAnswer } from './answer.js';

/**
 * Body of `POST /`: `{"inputs", "parameters"?}`; other keys are ignored. `inputs` is a text, a pair
 * `{"text", "text_pair"}` or a list of these; `{"source_sentence", "sentences"}`; or `{"query", "texts"}`.
 * @throws CarpoolError INVALID_REQUEST, PAYLOAD_TOO_LARGE (more than `maxRows`)
 */
export const parseHf = (value: unknown, maxRows: number): Parsed => {
  const body = looseBody(value);
  // Some clients put the parameters beside the inputs.
  const parameters = { ...body, ...looseMember(body, 'parameters') };
  refusePrompt(parameters);
  const { input, ...asked } = inputsOf(body, parameters, maxRows);
  return {
    request: { input, options: truncation(parameters) },
    answer: { kind: 'hf', single: false, ...asked, ...choices(parameters) },
  };
};

type Asked = Pick<InferRequest, 'input'> & Partial<Omit<HfAnswer, 'kind'>>;

const inputsOf = (body: Body, parameters: Body, maxRows: number): Asked => {
  const inputs = field(body, 'inputs');
  const from = inputs === undefined ? body : inputs;
  if (isObject(from) && field(from, 'query') !== undefined) return rankInputs(from, parameters, maxRows);
  if (isObject(from) && field(from, 'source_sentence') !== undefined)
    return { input: similarityInputs(from, maxRows).input, similarity: true };
  const single = !isList(inputs);
  const list = isList(inputs) ? inputs : [inputs];
  limitRows(list.length, 'inputs', maxRows);
  const texts = list.map((unit, index) => textUnit(unit, single ? 'inputs' : `inputs[${index}]`));
  const { input, zeroShot } = zeroShotInput(parameters, { kind: 'texts', texts }, maxRows);
  return { input, single, ...(zeroShot === undefined ? {} : { zeroShot }) };
};

const rankInputs = (from: Body, parameters: Body, maxRows: number): Asked => {
  const query = stringAt(field(from, 'query'), 'query');
  const texts = strings(field(from, 'texts'), 'texts', maxRows);
  const raw = optionalFlag(parameters, 'raw_scores') ?? false;
  const returns = optionalFlag(parameters, 'return_text') ?? false;
  return {
    input: { kind: 'texts', texts: texts.map((text) => [query, text]) },
    ranks: { raw, ...(returns ? { texts } : {}) },
  };
};

/** A text, or `{"text", "text_pair"}`. @throws CarpoolError INVALID_REQUEST */
export const textUnit = (value: unknown, where: string): TextUnit => {
  if (typeof value === 'string') return value;
  if (!isObject(value))
    throw refuse(where, `expected a text or {"text", "text_pair"}, got ${describe(value)}`);
  const unit = looseBody(value, where);
  const text = stringAt(field(unit, 'text'), `${where}.text`);
  const pair = field(unit, 'text_pair');
  return pair === undefined ? text : [text, stringAt(pair, `${where}.text_pair`)];
};

const choices = (parameters: Body): Partial<HfAnswer> => {
  const topK = optionalCount(parameters, 'top_k');
  const apply = oneOf(parameters, 'function_to_apply', ['sigmoid', 'softmax', 'none']);
  const aggregation = oneOf(parameters, 'aggregation_strategy', AGGREGATIONS);
  const normalize = optionalFlag(parameters, 'normalize');
  const dimensions = optionalCount(parameters, 'dimensions');
  return {
    ...(topK === undefined ? {} : { topK }),
    ...(apply === undefined ? {} : { apply }),
    ...(aggregation === undefined ? {} : { aggregation }),
    ...(normalize === undefined ? {} : { normalize }),
    ...(dimensions === undefined ? {} : { dimensions }),
  };
};
