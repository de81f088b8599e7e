import { CarpoolError } from '../../errors.js';
import type { TextInput } from '../../infer.js';
import type { Parsed } from '../parse.js';
import { describe, isList } from '../json/describe.js';
import { field, objectBody, optionalFlag, optionalText, refuse } from './fields.js';
import { inferOptions } from './options.js';

/** `texts` of a body. @throws CarpoolError INVALID_REQUEST, PAYLOAD_TOO_LARGE (more than `maxRows`) */
export const textInput = (texts: unknown, maxRows: number): TextInput => {
  if (!isList(texts)) {
    const hint = typeof texts === 'string' ? '; a single text is a list of one' : '';
    throw refuse('texts', `expected a list of strings, got ${describe(texts)}${hint}`);
  }
  if (texts.length === 0) throw refuse('texts', 'expected at least one string, got an empty list');
  if (texts.length > maxRows)
    throw new CarpoolError(
      'PAYLOAD_TOO_LARGE',
      `texts: expected at most ${maxRows} in a request, got ${texts.length}`,
    );
  const strings: string[] = [];
  for (const [index, text] of texts.entries()) {
    if (typeof text !== 'string') throw refuse(`texts[${index}]`, `expected a string, got ${describe(text)}`);
    strings.push(text);
  }
  return { kind: 'texts', texts: strings };
};

/**
 * Body of `POST /predict`: `{"texts": ["…"], "model"?, "timeoutMs"?, "truncate"?, "scores"?}`, no other keys.
 * @throws CarpoolError INVALID_REQUEST, PAYLOAD_TOO_LARGE (more than `maxRows` texts)
 */
export const parsePredict = (body: unknown, maxRows: number): Parsed => {
  const object = objectBody(body, ['texts', 'model', 'timeoutMs', 'priority', 'truncate', 'scores']);
  const model = optionalText(object, 'model');
  const input = textInput(field(object, 'texts'), maxRows);
  const scores = optionalFlag(object, 'scores') ?? false;
  const request = { ...(model === undefined ? {} : { model }), input, options: inferOptions(object) };
  return { request, answer: { kind: 'predict', scores } };
};
