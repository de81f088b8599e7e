import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { findExchange } from './exchange.js';
import { cacheHeaders } from './cache-headers.js';
import { serverTimingOf } from './server-timing.js';
import { hasLongBodyUnread, linger } from './linger.js';

/**
 * The one way out: status, `x-request-id`, Content-Length and body in one write. Nothing happens when the client is gone.
 *
 * @returns false when nothing was sent, because the client is gone or an answer is already out
 */
export const send = (
  res: ServerResponse,
  status: number,
  contentType: string,
  body: string | Uint8Array,
  headers?: OutgoingHttpHeaders,
): boolean => {
  if (res.destroyed || res.headersSent || res.writableEnded) return false;
  const exchange = findExchange(res.req);
  const all: OutgoingHttpHeaders = exchange?.headersOf(res) ?? {};
  all['content-type'] = contentType;
  all['content-length'] = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  if (exchange !== undefined) {
    const timing = exchange.wantsServerTiming ? serverTimingOf(exchange) : undefined;
    if (timing !== undefined) all['server-timing'] = timing;
    Object.assign(all, cacheHeaders(exchange.cache));
  }
  if (headers !== undefined) Object.assign(all, headers);
  if (hasLongBodyUnread(res.req)) {
    all.connection = 'close';
    res.writeHead(status, all);
    linger(res, body);
    exchange?.finish(status);
  } else {
    res.writeHead(status, all);
    res.end(body);
  }
  exchange?.limitSending(res);
  return true;
};

/** `body`: JSON as text, or something to print as JSON. See `send`. */
export const sendJson = (
  res: ServerResponse,
  status: number,
  body: string | object,
  headers?: OutgoingHttpHeaders,
): boolean =>
  send(res, status, 'application/json', typeof body === 'string' ? body : JSON.stringify(body), headers);
