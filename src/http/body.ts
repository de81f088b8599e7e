import type { IncomingMessage } from 'node:http';
import { CarpoolError } from '../errors.js';
import { ByteSink } from './byte-sink.js';
import { contentCoding } from './content-type.js';
import { grantContinue } from './continue.js';
import { findExchange } from './exchange.js';
import { inflateBody } from './inflate.js';

export interface BodyLimits {
  readonly limitBytes: number;
  /** Time for the whole body. */
  readonly timeoutMs: number;
}

/** `body` is set where a parser of the host's app has read it before us. */
type MaybeParsed = IncomingMessage & { readonly body?: unknown };

/** Above this the bytes are alone in their buffer, fit to be transferred to a thread. */
const OWNED_FROM_BYTES = 64 * 1024;

/**
 * Reads the whole body, once, and notes its time as `bodyMs`. gzip and deflate are undone; the limit is for what comes
 * out, too. Behind somebody's `express.json()` the parsed body is printed again: integers beyond 2^53 have lost their
 * digits by then.
 *
 * @returns empty when there is no body; bytes above 64 KiB own their buffer
 * @throws CarpoolError PAYLOAD_TOO_LARGE, BODY_TIMEOUT, CLIENT_GONE, UNSUPPORTED_MEDIA_TYPE (other codings),
 * INVALID_REQUEST (broken gzip)
 */
export const readBody = async (req: MaybeParsed, limits: BodyLimits): Promise<Uint8Array> => {
  // Not `req.body` alone: Express 4 leaves an empty object there for bodies that it did not read.
  const bytes = req.readableEnded ? alreadyRead(req) : await receiveDecoded(req, limits);
  if (bytes.byteLength > limits.limitBytes) throw tooLarge(`${bytes.byteLength} bytes`, limits.limitBytes);
  const exchange = findExchange(req);
  if (exchange !== undefined) exchange.bodyMs = exchange.elapsedMs;
  return bytes;
};

const receiveDecoded = async (req: IncomingMessage, limits: BodyLimits): Promise<Uint8Array> => {
  const coding = contentCoding(req);
  const bytes = await receive(req, limits);
  return coding === undefined ? bytes : inflateBody(bytes, coding, limits.limitBytes);
};

const receive = (req: IncomingMessage, { limitBytes, timeoutMs }: BodyLimits): Promise<Uint8Array> => {
  const header = req.headers['content-length'];
  const expected = header === undefined ? undefined : Number(header);
  if (expected !== undefined && expected > limitBytes)
    throw tooLarge(`Content-Length ${expected} bytes`, limitBytes);

  // It would tell nobody any more.
  if (req.destroyed) throw new CarpoolError('CLIENT_GONE', 'the client went away before its body was read');
  grantContinue(req);
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let sink: ByteSink | undefined;
    let received = 0;

    const settle = (): void => {
      clearTimeout(timer);
      req.off('data', onData).off('end', onEnd).off('close', onLost).off('error', onLost);
    };
    const fail = (error: CarpoolError): void => {
      settle();
      // What still arrives is dropped; the answer's way out limits for how long.
      req.resume();
      reject(error);
    };
    const onData = (chunk: Uint8Array): void => {
      received += chunk.byteLength;
      if (received > limitBytes) fail(tooLarge(`at least ${received} bytes`, limitBytes));
      else if (sink !== undefined) sink.add(chunk);
      else if (received <= OWNED_FROM_BYTES) chunks.push(chunk);
      else {
        sink = new ByteSink(expected);
        for (const part of chunks) sink.add(part);
        sink.add(chunk);
      }
    };
    const onEnd = (): void => {
      settle();
      resolve(sink?.take() ?? joined(chunks));
    };
    const onLost = (): void =>
      fail(new CarpoolError('CLIENT_GONE', `the client went away after ${received} bytes of its body`));
    const onTimeout = (): void =>
      fail(
        new CarpoolError(
          'BODY_TIMEOUT',
          `expected the whole body within ${timeoutMs} ms, got ${received}${expected === undefined ? '' : ` of ${expected}`} bytes`,
        ),
      );

    const timer = setTimeout(onTimeout, timeoutMs);
    req.on('data', onData).on('end', onEnd).on('close', onLost).on('error', onLost);
  });
};

const joined = (chunks: readonly Uint8Array[]): Uint8Array => {
  const [first, second] = chunks;
  if (first === undefined) return new Uint8Array(0);
  return second === undefined ? first : Buffer.concat(chunks);
};

const alreadyRead = ({ body, headers }: MaybeParsed): Uint8Array => {
  if (body === undefined) {
    if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0)
      return new Uint8Array(0);
    throw new Error('a middleware before the gateway consumed the body and left no req.body');
  }
  if (!ArrayBuffer.isView(body)) return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const bytes = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  // The buffer is the host's: one that will be transferred must be our own.
  return bytes.byteLength > OWNED_FROM_BYTES ? bytes.slice() : bytes;
};

const tooLarge = (came: string, limitBytes: number): CarpoolError =>
  new CarpoolError('PAYLOAD_TOO_LARGE', `expected a body of at most ${limitBytes} bytes, got ${came}`);
