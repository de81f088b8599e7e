import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { CarpoolError, messageOf } from '../errors.js';
import type { ContentCoding } from './content-type.js';

const INFLATE = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;

/**
 * A compressed body as it was, in zlib's own threads. It stops at the limit, so that a small body can't become a huge
 * one. @throws CarpoolError PAYLOAD_TOO_LARGE, INVALID_REQUEST where it is broken, cut short, or compressed otherwise
 */
export const inflateBody = async (
  bytes: Uint8Array,
  coding: NonNullable<ContentCoding>,
  limitBytes: number,
): Promise<Uint8Array> => {
  if (bytes.byteLength === 0) return bytes;
  try {
    return await INFLATE[coding](bytes, { maxOutputLength: limitBytes });
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE')
      throw new CarpoolError(
        'PAYLOAD_TOO_LARGE',
        `expected a body of at most ${limitBytes} bytes after decompression, got more`,
      );
    throw new CarpoolError('INVALID_REQUEST', `body: expected ${coding} data, got: ${messageOf(error)}`, {
      cause: error,
    });
  }
};
