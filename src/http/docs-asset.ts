import { createHash } from 'node:crypto';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { compressFor } from './compress.js';
import type { Exchange } from './exchange.js';
import { send } from './reply.js';
import type { HttpRequest } from './router.js';

/** Something that is the same for as long as the process lives. */
export interface Asset {
  readonly type: string;
  readonly body: Uint8Array;
  readonly etag: string;
}

/** The tag is weak: the same for compressed bytes. */
export const assetOf = (type: string, body: Uint8Array): Asset => ({
  type,
  body,
  etag: `W/"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
});

/** 304 where the client has it already, else the bytes, compressed where it likes that. */
export const sendAsset = async (
  req: HttpRequest,
  res: ServerResponse,
  exchange: Exchange,
  { type, body, etag }: Asset,
  more: OutgoingHttpHeaders,
): Promise<void> => {
  const headers = { etag, ...more };
  const has = req.headers['if-none-match']?.split(',').map((tag) => tag.trim());
  if (has?.includes(etag) === true || has?.includes('*') === true) {
    res.writeHead(304, { ...exchange.headersOf(res), ...headers }).end();
    return;
  }
  const { body: packed, headers: coding } = await compressFor(req, body);
  send(res, 200, type, packed, { ...headers, ...coding });
};
