import { CarpoolError } from '../../errors.js';
import type { InferOptions } from '../../infer.js';
import { type Body, field, optionalCount, optionalFlag, optionalText } from '../own/fields.js';
import { looseBody, looseMember, refusePrompt, stringAt, strings, truncation } from '../common/loose.js';
import { idsOnly, inputsOfTexts, textsOrIds, type Inputs } from '../common/texts-or-ids.js';
import type { Parsed } from '../parse.js';
import type { TeiAnswer, TeiCall } from './answer.js';
import { predictUnits } from './parse-predict.js';

/**
 * A body of one of TEI's paths. Of `tokenize` and `decode` the request is never run: its input is what they work on.
 * @throws CarpoolError INVALID_REQUEST, PAYLOAD_TOO_LARGE (more than `maxRows`)
 */
export const parseTei = (call: TeiCall, value: unknown, maxRows: number): Parsed => {
  const body = looseBody(value);
  const model = optionalText(body, 'model');
  const { input, characters, ask, options = {} } = partsOf(call, body, maxRows);
  return {
    request: { input, options, ...(model === undefined ? {} : { model }) },
    answer: { kind: 'tei', characters, ...ask },
  };
};

type Ask<T = TeiAnswer> = T extends TeiAnswer ? Omit<T, 'kind' | 'characters'> : never;

interface Parts extends Inputs {
  readonly ask: Ask;
  readonly options?: InferOptions;
}

const partsOf = (call: TeiCall, body: Body, maxRows: number): Parts => {
  const inputs = field(body, 'inputs');
  const options = truncation(body);
  const raw = optionalFlag(body, 'raw_scores') ?? false;
  refusePrompt(body);
  switch (call) {
    case 'predict': {
      const { units, single } = predictUnits(inputs, maxRows);
      return { ...inputsOfTexts(units), ask: { call, single, raw }, options };
    }
    case 'embed': {
      const dimensions = optionalCount(body, 'dimensions');
      const normalize = optionalFlag(body, 'normalize') ?? true;
      const ask = { call, normalize, ...(dimensions === undefined ? {} : { dimensions }) };
      return { ...textsOrIds(inputs, 'inputs', maxRows), ask, options: { ...options, pooled: true } };
    }
    case 'embed_all':
      return { ...textsOrIds(inputs, 'inputs', maxRows), ask: { call }, options };
    case 'rerank': {
      const query = stringAt(field(body, 'query'), 'query');
      const texts = strings(field(body, 'texts'), 'texts', maxRows);
      const ask = { call, raw, ...(optionalFlag(body, 'return_text') === true ? { texts } : {}) };
      return { ...inputsOfTexts(texts.map((text) => [query, text])), ask, options };
    }
    case 'similarity':
      return { ...similarityInputs(inputs, maxRows), ask: { call }, options: similarityOptions(body) };
    case 'tokenize': {
      const texts = typeof inputs === 'string' ? [inputs] : strings(inputs, 'inputs', maxRows);
      for (const [i, { length }] of texts.entries()) limitLength(length, `inputs[${i}]`, 'characters');
      const special = optionalFlag(body, 'add_special_tokens') ?? true;
      return { ...inputsOfTexts(texts), ask: { call, special } };
    }
    case 'decode': {
      const skipSpecial = optionalFlag(body, 'skip_special_tokens') ?? true;
      const { input, characters } = idsOnly(field(body, 'ids'), 'ids', maxRows);
      if (input.kind === 'ids')
        for (const [i, length] of input.lengths.entries()) limitLength(length, `ids[${i}]`, 'ids');
      return { input, characters, ask: { call, skipSpecial } };
    }
  }
};

/** A text is never divided among jobs of the codec thread: half a million characters keep it for two seconds. */
const MOST_UNDIVIDED = 524_288;

const limitLength = (length: number, where: string, what: string): void => {
  if (length > MOST_UNDIVIDED)
    throw new CarpoolError(
      'PAYLOAD_TOO_LARGE',
      `${where}: expected at most ${MOST_UNDIVIDED} ${what}, got ${length}`,
    );
};

/** The source sentence, then those that it is compared with. @throws CarpoolError INVALID_REQUEST, PAYLOAD_TOO_LARGE */
export const similarityInputs = (value: unknown, maxRows: number): Inputs => {
  const inputs = looseBody(value, 'inputs');
  const source = stringAt(field(inputs, 'source_sentence'), 'inputs.source_sentence');
  const sentences = strings(field(inputs, 'sentences'), 'inputs.sentences', maxRows - 1);
  return inputsOfTexts([source, ...sentences]);
};

const similarityOptions = (body: Body): InferOptions => {
  const parameters = looseMember(body, 'parameters');
  refusePrompt(parameters);
  return { ...truncation(parameters), pooled: true };
};
