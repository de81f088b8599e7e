import type { ServerHttp2Stream } from 'node:http2';
import { Duplex } from 'node:stream';

/**
 * The HTTP/2 stream of a call. The library gives handlers no way to end a call whose client does not read: it keeps the
 * answer, and the stream, for as long as the connection lives.
 *
 * @param call as the library hands it to its first interceptor
 * @throws Error when the library keeps it elsewhere
 */
export const streamOf = (call: object): ServerHttp2Stream => {
  const stream: unknown = Reflect.get(call, 'stream');
  if (isHttp2Stream(stream)) return stream;
  throw new Error(
    'expected the HTTP/2 stream of a call in its field `stream`: another version of @grpc/grpc-js?',
  );
};

const isHttp2Stream = (value: unknown): value is ServerHttp2Stream =>
  value instanceof Duplex && 'rstCode' in value && 'close' in value;
