import type { InferOptions, TextInput } from '../../infer.js';
import type { Parsed } from '../parse.js';
import type { TextAnswer } from './answer.js';
import { type Body, objectBody, optionalText } from './fields.js';
import { inferOptions, OPTION_KEYS } from './options.js';
import { TEXT_KEYS, textInput } from './parse-texts.js';
import { TEXT_OPTION_KEYS, textAnswer, textRunOptions } from './text-options.js';
import { ZERO_SHOT_KEYS, zeroShotInput } from './zero-shot-fields.js';

/** Every key that a body with texts may have, whatever the model's task; which of them fit is told by `checkTask`. */
export const TEXT_BODY_KEYS = [...OPTION_KEYS, ...TEXT_OPTION_KEYS, ...TEXT_KEYS, ...ZERO_SHOT_KEYS] as const;

/** @throws CarpoolError INVALID_REQUEST, PAYLOAD_TOO_LARGE */
export const textParts = (
  body: Body,
  maxRows: number,
): { readonly input: TextInput; readonly options: InferOptions; readonly answer: TextAnswer } => {
  const given = textInput(body, maxRows);
  const { input, zeroShot } = zeroShotInput(body, given, maxRows);
  return {
    input,
    options: { ...inferOptions(body), ...textRunOptions(body, given.texts) },
    answer: { ...textAnswer(body), ...(zeroShot === undefined ? {} : { zeroShot }) },
  };
};

/**
 * Body of `POST /predict`: `{"texts": ["…"], "model"?, …}`, see `TEXT_BODY_KEYS`; no other keys.
 * @throws CarpoolError INVALID_REQUEST, PAYLOAD_TOO_LARGE (more than `maxRows` texts)
 */
export const parsePredict = (body: unknown, maxRows: number): Parsed => {
  const object = objectBody(body, ['texts', 'model', ...TEXT_BODY_KEYS]);
  const model = optionalText(object, 'model');
  const { input, options, answer } = textParts(object, maxRows);
  return {
    request: { ...(model === undefined ? {} : { model }), input, options },
    answer: { kind: 'predict', ...answer },
  };
};
