import type { IncomingHttpHeaders } from 'node:http';
import { CarpoolError } from '../errors.js';

const JSON_TYPE = /^application\/(?:json|[\w.-]+\+json)$/;

/**
 * Absent is fine: tritonclient sends none. `text/plain` is not, because a page of another site may post it unasked.
 * @throws CarpoolError UNSUPPORTED_MEDIA_TYPE
 */
export const requireJson = ({ headers }: { readonly headers: IncomingHttpHeaders }): void => {
  const header = headers['content-type'];
  if (header === undefined || header === 'application/json') return;
  const [type = '', ...parameters] = header.split(';').map((part) => part.trim().toLowerCase());
  if (!JSON_TYPE.test(type)) {
    const hint =
      type === 'application/x-www-form-urlencoded'
        ? " (curl -d sends that by itself: add -H 'content-type: application/json')"
        : '';
    throw unsupported(`expected Content-Type application/json, got '${shown(header)}'${hint}`);
  }
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
  if (charset !== undefined && !/^"?(?:utf-?8|us-ascii)"?$/.test(charset))
    throw unsupported(`expected JSON in UTF-8, got Content-Type '${shown(header)}'`);
};

/** How a body is compressed; undefined = not at all. `deflate` is the zlib format, as HTTP defines it. */
export type ContentCoding = 'gzip' | 'deflate' | undefined;

/** @throws CarpoolError UNSUPPORTED_MEDIA_TYPE for every other Content-Encoding, and for several in a row */
export const contentCoding = ({ headers }: { readonly headers: IncomingHttpHeaders }): ContentCoding => {
  const header = headers['content-encoding'];
  switch (header?.trim().toLowerCase()) {
    case undefined:
    case '':
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'deflate':
      return 'deflate';
    default:
      throw unsupported(`expected Content-Encoding gzip, deflate or none, got '${shown(header ?? '')}'`);
  }
};

const unsupported = (message: string): CarpoolError => new CarpoolError('UNSUPPORTED_MEDIA_TYPE', message);

const shown = (value: string): string => (value.length > 100 ? `${value.slice(0, 100)}…` : value);
