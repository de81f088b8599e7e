import { randomUUID } from 'node:crypto';
import { maxHeaderSize, STATUS_CODES, type OutgoingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { ERROR_TABLE, type ErrorCode } from '../errors.js';

/** Longest time that a client may go on sending after it was told that its request is no HTTP. */
const CLOSE_AFTER_MS = 1000;

export interface AnsweredClientError {
  readonly status: number;
  readonly code: ErrorCode;
  readonly requestId: string;
}

interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
}

/** What Node's parser could not take: there is no `res` for it, so the answer is written by hand. */
export const answerClientError = (
  error: NodeJS.ErrnoException,
  socket: Duplex,
  headers: OutgoingHttpHeaders = {},
): AnsweredClientError => {
  const { status, code, message } = refusalOf(error);
  const requestId = randomUUID();
  const body = JSON.stringify({ error: { code, message, requestId } });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'connection: close',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  const timer = setTimeout(() => socket.destroy(), CLOSE_AFTER_MS);
  socket.once('close', () => clearTimeout(timer));
  return { status, code, requestId };
};

const refusalOf = (error: NodeJS.ErrnoException): Refusal => {
  switch (error.code ?? '') {
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: ERROR_TABLE.HEADERS_TOO_LARGE.http,
        code: 'HEADERS_TOO_LARGE',
        message: `expected request headers of at most ${maxHeaderSize} bytes in all`,
      };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        status: ERROR_TABLE.BODY_TIMEOUT.http,
        code: 'BODY_TIMEOUT',
        message: 'expected the whole request sooner',
      };
    default:
      return {
        status: ERROR_TABLE.INVALID_REQUEST.http,
        code: 'INVALID_REQUEST',
        message: `expected HTTP/1.1, got something else (${error.code ?? 'unknown'})`,
      };
  }
};
