import { describe } from '../json/describe.js';
import { field, optionalCount, refuse } from '../own/fields.js';
import { looseBody, oneOf } from '../common/loose.js';
import { textsOrIds } from '../common/texts-or-ids.js';
import type { Parsed } from '../parse.js';

/**
 * Body of `POST /v1/embeddings`: `{"input": string | string[] | ids | ids[], "model"?, "encoding_format"?, "dimensions"?}`;
 * other keys are ignored.
 * @throws CarpoolError INVALID_REQUEST, PAYLOAD_TOO_LARGE (more than `maxRows`)
 */
export const parseOpenAi = (value: unknown, maxRows: number): Parsed => {
  const body = looseBody(value);
  const model = field(body, 'model') ?? '';
  if (typeof model !== 'string') throw refuse('model', `expected a string, got ${describe(model)}`);
  const dimensions = optionalCount(body, 'dimensions');
  const base64 = oneOf(body, 'encoding_format', ['float', 'base64']) === 'base64';
  const { input } = textsOrIds(field(body, 'input'), 'input', maxRows);
  return {
    request: { input, options: { pooled: true }, ...(model === '' ? {} : { model }) },
    answer: { kind: 'openai', base64, ...(dimensions === undefined ? {} : { dimensions }) },
  };
};
