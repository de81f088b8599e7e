import { describe, expect, it } from '@jest/globals';
import { ERROR_TABLE, isErrorCode } from '../../../src/errors.js';
import { emptyError } from '../../../src/protocol/common/loose.js';
import { openAiError } from '../../../src/protocol/openai/errors.js';
import { predictErrorShape, teiError } from '../../../src/protocol/tei/errors.js';
import { bytesOf } from '../support.js';

const CODES = Object.keys(ERROR_TABLE).filter(isErrorCode);
const shown = (code: (typeof CODES)[number], message = 'm') => ({
  code,
  message,
  status: ERROR_TABLE[code].http,
});

describe('teiError', () => {
  it('has the statuses and types of text-embeddings-inference', () => {
    const table = CODES.map((code) => {
      const { status, body } = teiError(shown(code), 'id');
      return [code, status, (body as { error_type: string }).error_type];
    });
    expect(Object.fromEntries(table.map(([code, ...rest]) => [code, rest.join(' ')]))).toEqual({
      INVALID_REQUEST: '422 Validation',
      UNAUTHENTICATED: '401 Validation',
      FORBIDDEN: '403 Validation',
      HEADERS_TOO_LARGE: '431 Validation',
      MODEL_NOT_FOUND: '424 Backend',
      NOT_FOUND: '404 Validation',
      METHOD_NOT_ALLOWED: '405 Validation',
      BODY_TIMEOUT: '408 Validation',
      CONFLICT: '409 Validation',
      PAYLOAD_TOO_LARGE: '413 Validation',
      UNSUPPORTED_MEDIA_TYPE: '415 Validation',
      INPUT_TOO_LONG: '422 Validation',
      MODEL_LOAD_FAILED: '422 Validation',
      QUEUE_FULL: '429 Overloaded',
      RATE_LIMITED: '429 Overloaded',
      CLIENT_GONE: '499 Validation',
      EXECUTION_FAILED: '424 Backend',
      INTERNAL: '500 Backend',
      MODEL_UNAVAILABLE: '503 Unhealthy',
      DRAINING: '503 Unhealthy',
      WORKER_LOST: '503 Unhealthy',
      DEADLINE_EXCEEDED: '504 Backend',
    });
  });

  it('knows what is empty', () => {
    const { message } = emptyError('texts');
    expect(teiError(shown('INVALID_REQUEST', message), undefined)).toEqual({
      status: 400,
      body: { error: 'texts: cannot be empty', error_type: 'Empty' },
    });
  });
});

describe('predictErrorShape', () => {
  it.each([
    ['{"inputs": "a"', true],
    ['{"truncate": true, "inputs": [1]}', true],
    ['{"texts": ["a"]}', false],
    ['{"texts": ["a"], "inputs": 1}', false],
    ['{"texts": ["a \\"inputs\\""]}', false],
    ['{"text": "a \\"inputs\\""}', false],
    ['', false],
  ])('of %s', (body, isTei) => {
    expect(predictErrorShape(bytesOf(body)) === teiError).toBe(isTei);
  });
});

describe('openAiError', () => {
  it.each([
    ['INVALID_REQUEST', 'input[3]: expected a string', 400, 'invalid_request_error', 'input', null],
    ['INVALID_REQUEST', 'body: no', 400, 'invalid_request_error', null, null],
    ['MODEL_NOT_FOUND', "no model 'x'", 404, 'invalid_request_error', 'model', 'model_not_found'],
    ['INPUT_TOO_LONG', 'text 0', 400, 'invalid_request_error', null, 'context_length_exceeded'],
    ['QUEUE_FULL', 'm', 429, 'rate_limit_error', null, 'rate_limit_exceeded'],
    ['WORKER_LOST', 'm', 503, 'server_error', null, 'worker_lost'],
  ] as const)('%s: %s', (code, message, status, type, param, theirs) => {
    expect(openAiError(shown(code, message), undefined)).toEqual({
      status,
      body: { error: { message, type, param, code: theirs } },
    });
  });
});
