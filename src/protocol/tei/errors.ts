import type { ErrorCode } from '../../errors.js';
import type { ErrorShape } from '../../http/error-handler.js';
import { isEmptyError } from '../common/loose.js';

type ErrorType = 'Overloaded' | 'Backend' | 'Validation' | 'Empty' | 'Unhealthy';

/** Statuses where TEI's own differ from the table's. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  INVALID_REQUEST: 422,
  MODEL_NOT_FOUND: 424,
  EXECUTION_FAILED: 424,
};

const TYPE: Partial<Record<ErrorCode, ErrorType>> = {
  QUEUE_FULL: 'Overloaded',
  RATE_LIMITED: 'Overloaded',
  MODEL_NOT_FOUND: 'Backend',
  EXECUTION_FAILED: 'Backend',
  INTERNAL: 'Backend',
  DEADLINE_EXCEEDED: 'Backend',
  MODEL_UNAVAILABLE: 'Unhealthy',
  DRAINING: 'Unhealthy',
  WORKER_LOST: 'Unhealthy',
};

/** `{"error", "error_type"}`. Tokenizer errors are Validation ones here: both are 422. */
export const teiError: ErrorShape = (error) => {
  const { code, status, message } = error;
  if (code === 'INVALID_REQUEST' && isEmptyError(error))
    return { status: 400, body: { error: message, error_type: 'Empty' } };
  return {
    status: STATUS[code] ?? status,
    body: { error: message, error_type: TYPE[code] ?? 'Validation' },
  };
};

/** Where the start of a body tells whose it is. */
const HEAD_BYTES = 4_096;

/**
 * The shape of errors on `/predict`, which two protocols share: TEI's where the body has `inputs` and no `texts`. A
 * guess, since a body that can not be read has to be answered too. In JSON text, a quoted word with no backslash before
 * its last quote is a whole string.
 */
export const predictErrorShape = (bytes: Uint8Array): ErrorShape | undefined => {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, HEAD_BYTES));
  return head.includes('"inputs"') && !head.includes('"texts"') ? teiError : undefined;
};
