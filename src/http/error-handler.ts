import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { codeOf, ERROR_TABLE, messageOf, type ErrorCode } from '../errors.js';
import { traceFields } from '../telemetry/access-log.js';
import type { ErrorLog } from '../telemetry/error-log.js';
import { findExchange } from './exchange.js';
import { sendJson } from './reply.js';

/** What a caller may know of an error. */
export interface PublicError {
  readonly code: ErrorCode;
  readonly status: number;
  readonly message: string;
  /** Whole seconds, at least 1. */
  readonly retryAfterSeconds?: number;
}

/** An error as one protocol words it. `status` only where it differs from the table's. */
export type ErrorShape = (
  error: PublicError,
  requestId: string | undefined,
) => { readonly status?: number; readonly body: object };

export const OWN_SHAPE: ErrorShape = ({ code, message }, requestId) => ({
  body: { error: { code, message, requestId } },
});

/** Sent where the error itself does not say how long. */
const RETRY_AFTER_SECONDS = 1;

/** Anything with a `code` of the table, whatever its class; all else is INTERNAL and keeps its detail to itself. */
export const publicError = (error: unknown): PublicError => {
  if (isMalformedPath(error))
    return {
      code: 'INVALID_REQUEST',
      status: ERROR_TABLE.INVALID_REQUEST.http,
      message: `bad path: ${messageOf(error)}`,
    };
  const code = codeOf(error);
  const status = ERROR_TABLE[code].http;
  const message = code === 'INTERNAL' ? 'internal error' : messageOf(error);
  if (status !== 429 && status !== 503 && status !== 504) return { code, status, message };
  const seconds = (error as { retryAfterSeconds?: unknown }).retryAfterSeconds;
  const asked = typeof seconds === 'number' && Number.isFinite(seconds) ? seconds : RETRY_AFTER_SECONDS;
  return { code, status, message, retryAfterSeconds: Math.max(1, Math.ceil(asked)) };
};

/**
 * Answers an error: the one place that sets a status from one. `{"error": {"code", "message", "requestId"}}`; nothing
 * for a client that has gone; the socket is destroyed when an answer had already begun.
 */
export type ErrorAnswer = (
  error: unknown,
  req: IncomingMessage,
  res: ServerResponse,
  shape?: ErrorShape,
) => void;

export const createErrorAnswer =
  (errorLog: ErrorLog): ErrorAnswer =>
  (error, req, res, shape = OWN_SHAPE) => {
    const shown = publicError(error);
    const { code, status, retryAfterSeconds } = shown;
    const exchange = findExchange(req);
    const requestId = exchange?.requestId;
    if (exchange !== undefined) exchange.code ??= code;
    // Work that was cancelled for a lost client fails in many ways; none of them is news.
    if (code === 'CLIENT_GONE' || exchange?.isGone === true) {
      res.destroy();
      return;
    }
    errorLog.note(error, shown, { requestId, ...traceFields(exchange?.trace) });
    if (res.headersSent) {
      if (!res.writableEnded) res.destroy();
      return;
    }
    const headers: OutgoingHttpHeaders = {};
    if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds);
    // The same for a key that is missing and one that is wrong (RFC 6750 would tell them apart).
    if (code === 'UNAUTHENTICATED') headers['www-authenticate'] = 'Bearer realm="carpool"';
    // The rest of the body will not be waited for.
    if (code === 'BODY_TIMEOUT') headers.connection = 'close';
    const { status: theirs = status, body } = shape(shown, requestId);
    sendJson(res, theirs, body, headers);
  };

/** The router could not decode a percent escape in a path. By name: the class differs between realms. */
export const isMalformedPath = (error: unknown): boolean =>
  error instanceof Error && error.name === 'URIError';
