import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import type { ErrorCode } from '../../errors.js';
import type { PublicError } from '../../http/error-handler.js';
import { rateLimitHeaders } from '../../limits/headers.js';
import type { QuotaState } from '../../limits/quotas.js';

/** What a client is told beside the message; our own code is in the trailer `carpool-code`. */
export const GRPC_STATUS: Readonly<Record<ErrorCode, status>> = {
  INVALID_REQUEST: status.INVALID_ARGUMENT,
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  FORBIDDEN: status.PERMISSION_DENIED,
  MODEL_NOT_FOUND: status.NOT_FOUND,
  NOT_FOUND: status.NOT_FOUND,
  METHOD_NOT_ALLOWED: status.UNIMPLEMENTED,
  BODY_TIMEOUT: status.DEADLINE_EXCEEDED,
  CONFLICT: status.ABORTED,
  // Not RESOURCE_EXHAUSTED, which clients repeat: it would never fit.
  PAYLOAD_TOO_LARGE: status.INVALID_ARGUMENT,
  HEADERS_TOO_LARGE: status.INVALID_ARGUMENT,
  UNSUPPORTED_MEDIA_TYPE: status.INVALID_ARGUMENT,
  INPUT_TOO_LONG: status.INVALID_ARGUMENT,
  MODEL_LOAD_FAILED: status.FAILED_PRECONDITION,
  QUEUE_FULL: status.RESOURCE_EXHAUSTED,
  RATE_LIMITED: status.RESOURCE_EXHAUSTED,
  CLIENT_GONE: status.CANCELLED,
  EXECUTION_FAILED: status.INTERNAL,
  INTERNAL: status.INTERNAL,
  MODEL_UNAVAILABLE: status.UNAVAILABLE,
  DRAINING: status.UNAVAILABLE,
  WORKER_LOST: status.UNAVAILABLE,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
};

export const statusOf = (
  { code, message, retryAfterSeconds }: PublicError,
  requestId: string,
  quotas?: readonly QuotaState[],
): StatusObject => {
  const metadata = quotaTrailers(quotas) ?? new Metadata();
  metadata.set('carpool-code', code);
  metadata.set('x-request-id', requestId);
  if (retryAfterSeconds !== undefined) metadata.set('retry-after', String(retryAfterSeconds));
  return { code: GRPC_STATUS[code], details: wellFormed(message), metadata };
};

/**
 * Text of clients, and text cut between the two halves of a character, may hold a lone half. The library throws at one when
 * it writes the status, and protobuf has no such text.
 */
const wellFormed = (text: string): string => Buffer.from(text).toString();

/** The headers of HTTP answers as trailers; undefined where the caller has no quotas. */
export const quotaTrailers = (quotas: readonly QuotaState[] | undefined): Metadata | undefined => {
  if (quotas === undefined) return undefined;
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(rateLimitHeaders(quotas))) metadata.set(name, String(value));
  return metadata;
};
