/**
 * The one table of errors: code -> what each protocol answers. Clients and tests match the code, never the text.
 * A status is set in one place (http/error-handler), from this table.
 */
interface ErrorRow {
  /** HTTP status of our own surface and of the Open Inference Protocol. */
  readonly http: number;
  /** May the client send the same request again and hope for an answer? */
  readonly retryable: boolean;
}

export const ERROR_TABLE = {
  INVALID_REQUEST: { http: 400, retryable: false },
  UNAUTHENTICATED: { http: 401, retryable: false },
  FORBIDDEN: { http: 403, retryable: false },
  MODEL_NOT_FOUND: { http: 404, retryable: false },
  NOT_FOUND: { http: 404, retryable: false },
  METHOD_NOT_ALLOWED: { http: 405, retryable: false },
  BODY_TIMEOUT: { http: 408, retryable: true },
  CONFLICT: { http: 409, retryable: false },
  PAYLOAD_TOO_LARGE: { http: 413, retryable: false },
  UNSUPPORTED_MEDIA_TYPE: { http: 415, retryable: false },
  INPUT_TOO_LONG: { http: 422, retryable: false },
  MODEL_LOAD_FAILED: { http: 422, retryable: false },
  /** Answered where no request was understood: see http/client-error. */
  HEADERS_TOO_LARGE: { http: 431, retryable: false },
  QUEUE_FULL: { http: 429, retryable: true },
  RATE_LIMITED: { http: 429, retryable: true },
  /** No answer is sent (the socket is gone); the status is only what the access line and the metrics show. */
  CLIENT_GONE: { http: 499, retryable: false },
  EXECUTION_FAILED: { http: 500, retryable: false },
  /** Our bug: the detail goes to the log only. */
  INTERNAL: { http: 500, retryable: false },
  MODEL_UNAVAILABLE: { http: 503, retryable: true },
  DRAINING: { http: 503, retryable: true },
  WORKER_LOST: { http: 503, retryable: true },
  DEADLINE_EXCEEDED: { http: 504, retryable: true },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_TABLE;

export interface ErrorDetails {
  /** Seconds for the `Retry-After` header. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** An error that a caller may see. The message says what was expected, what came, and where. */
export class CarpoolError extends Error {
  override readonly name = 'CarpoolError';
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    details: ErrorDetails = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** `{code, message}`: what is left of an error after `postMessage`, which drops its class and its fields. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
}

export const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === 'string' && Object.hasOwn(ERROR_TABLE, code);

/** Reads `code`, never the class: errors from other threads and from `#batcher` have only that in common. */
export const codeOf = (error: unknown): ErrorCode => {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return isErrorCode(code) ? code : 'INTERNAL';
};

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String((error as { message?: unknown } | null)?.message ?? error);

export const toWireError = (error: unknown): WireError => ({
  code: codeOf(error),
  message: messageOf(error),
});

export const fromWireError = ({ code, message }: WireError): CarpoolError => new CarpoolError(code, message);
