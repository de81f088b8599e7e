import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { constants, deflate, gzip } from 'node:zlib';

const COMPRESS = { gzip: promisify(gzip), deflate: promisify(deflate) } as const;

/** Smaller answers are sent as they are: they fit into a few packets anyway. */
const WORTH_BYTES = 8 * 1024;

export interface Compressed {
  readonly body: string | Uint8Array;
  readonly headers: OutgoingHttpHeaders;
}

/** Compresses an answer, in zlib's own threads and in its quickest way, when the client asks for it and it is worth it. */
export const compressFor = async (req: IncomingMessage, body: string | Uint8Array): Promise<Compressed> => {
  const coding = acceptedCoding(req.headers['accept-encoding']);
  if (coding === undefined || body.length < WORTH_BYTES) return { body, headers: {} };
  const packed = await COMPRESS[coding](body, { level: constants.Z_BEST_SPEED });
  return { body: packed, headers: { 'content-encoding': coding, vary: 'accept-encoding' } };
};

/** gzip, else deflate (the zlib format), where `Accept-Encoding` names it and does not rule it out by `q=0`. */
export const acceptedCoding = (header: string | undefined): 'gzip' | 'deflate' | undefined => {
  if (header === undefined) return undefined;
  const accepted = new Set<string>();
  for (const part of header.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((piece) => piece.trim());
    if (!parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))) accepted.add(coding);
  }
  if (accepted.has('gzip')) return 'gzip';
  return accepted.has('deflate') ? 'deflate' : undefined;
};
