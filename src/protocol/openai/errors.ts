import type { ErrorCode } from '../../errors.js';
import type { ErrorShape } from '../../http/error-handler.js';

/** `code` of the error where OpenAI has one; else our own in small letters. */
const CODES: Partial<Record<ErrorCode, string>> = {
  UNAUTHENTICATED: 'invalid_api_key',
  MODEL_NOT_FOUND: 'model_not_found',
  INPUT_TOO_LONG: 'context_length_exceeded',
  QUEUE_FULL: 'rate_limit_exceeded',
  RATE_LIMITED: 'rate_limit_exceeded',
};

const typeOf = (status: number): string => {
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
};

/** Messages begin with the place of what is wrong: `input[3]: expected …`. */
const PARAM = /^(input|model|dimensions|encoding_format)\b/;

/** `{"error": {"message", "type", "param", "code"}}` */
export const openAiError: ErrorShape = ({ code, status, message }) => {
  const param = code === 'MODEL_NOT_FOUND' ? 'model' : (PARAM.exec(message)?.[1] ?? null);
  const theirs = code === 'INPUT_TOO_LONG' ? 400 : status;
  const error = {
    message,
    type: typeOf(theirs),
    param,
    code: code === 'INVALID_REQUEST' ? null : (CODES[code] ?? code.toLowerCase()),
  };
  return { status: theirs, body: { error } };
};
