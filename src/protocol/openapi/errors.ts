import type { z } from 'zod';
import { ERROR_TABLE, type ErrorCode } from '../../errors.js';
import { OWN_SHAPE, type ErrorShape } from '../../http/error-handler.js';
import { emptyError } from '../common/loose.js';
import { messageError } from '../common/message-error.js';
import { oipError } from '../oip/errors.js';
import { openAiError } from '../openai/errors.js';
import { teiError } from '../tei/errors.js';
import { named, type Errors } from './operation.js';
import { messageOnly, openAiErrorBody, ownError, teiErrorBody } from './schemas/server.js';

const ANY: readonly ErrorCode[] = ['INTERNAL'];
/** Where access control is on. */
const ASKED: readonly ErrorCode[] = ['UNAUTHENTICATED', 'FORBIDDEN', ...ANY];
const FIND: readonly ErrorCode[] = ['INVALID_REQUEST', 'MODEL_NOT_FOUND', 'MODEL_UNAVAILABLE', 'DRAINING'];
const BODY: readonly ErrorCode[] = ['BODY_TIMEOUT', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];

/** Codes by what a route does. */
export const CODES = {
  /** Answers anybody, by itself. */
  open: ANY,
  /** Answers by itself. */
  plain: ASKED,
  /** Shows a model. */
  find: [...FIND, ...ASKED],
  /** Reads a body and looks into a model, but runs none. */
  read: [...FIND, ...BODY, 'INPUT_TOO_LONG', ...ASKED],
  run: [
    ...FIND,
    ...BODY,
    ...([
      'INPUT_TOO_LONG',
      'QUEUE_FULL',
      'RATE_LIMITED',
      'EXECUTION_FAILED',
      'WORKER_LOST',
      'DEADLINE_EXCEEDED',
    ] as const),
    ...ASKED,
  ],
  load: [...FIND, ...BODY, 'CONFLICT', 'MODEL_LOAD_FAILED', ...ASKED],
  unload: [...FIND, 'CONFLICT', ...ASKED],
  /** Changes the server, and no model. */
  set: ['INVALID_REQUEST', ...BODY, ...ASKED],
  file: ['NOT_FOUND', ...ASKED],
  /** Reads a body about no model. */
  list: ['INVALID_REQUEST', ...BODY, ...ASKED],
} as const satisfies Record<string, readonly ErrorCode[]>;

export type CodeSet = keyof typeof CODES;

const errorsIn =
  (shape: ErrorShape, name: string, schema: z.ZodType) =>
  (set: CodeSet): Errors => ({ shape, body: named(name, schema), codes: CODES[set] });

export const ownErrors = errorsIn(OWN_SHAPE, 'Error', ownError);
export const oipErrors = errorsIn(oipError, 'MessageError', messageOnly);
export const messageErrors = errorsIn(messageError, 'MessageError', messageOnly);
export const teiErrors = errorsIn(teiError, 'TeiError', teiErrorBody);
export const openAiErrors = errorsIn(openAiError, 'OpenAiError', openAiErrorBody);

/** Status -> the codes that it stands for, by the table and the protocol's own shape. */
export const statusesOf = ({ shape, codes }: Errors): ReadonlyMap<number, readonly ErrorCode[]> => {
  const statuses = new Map<number, ErrorCode[]>();
  const add = (code: ErrorCode, message: string): void => {
    const { http } = ERROR_TABLE[code];
    const { status = http } = shape({ code, status: http, message }, undefined);
    const there = statuses.get(status) ?? [];
    if (!there.includes(code)) statuses.set(status, [...there, code]);
  };
  for (const code of codes) {
    add(code, '');
    // text-embeddings-inference has a status of its own for it.
    if (code === 'INVALID_REQUEST') add(code, emptyError('inputs').message);
  }
  return new Map([...statuses].sort(([a], [b]) => a - b));
};
