export interface HttpAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END = Buffer.from('\r\n');

/** The first whole answer and its length in bytes, interim ones (100 Continue) left out; undefined = not yet. */
export const readAnswer = (
  bytes: Buffer,
  method: string,
  from = 0,
): { readonly answer: HttpAnswer; readonly length: number } | undefined => {
  const headEnd = bytes.indexOf(HEAD_END, from);
  if (headEnd === -1) return undefined;
  const [statusLine = '', ...lines] = bytes.toString('latin1', from, headEnd).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1] ?? 0);
  const bodyAt = headEnd + HEAD_END.length;
  if (status >= 100 && status < 200 && status !== 101) return readAnswer(bytes, method, bodyAt);
  const headers = new Map(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  const hasBody = method !== 'HEAD' && status !== 204 && status !== 304;
  if (hasBody && headers.get('transfer-encoding') === 'chunked') {
    const read = readChunks(bytes, bodyAt);
    return read && { answer: { status, headers, body: read.body }, length: read.end };
  }
  const end = bodyAt + (hasBody ? Number(headers.get('content-length') ?? 0) : 0);
  return bytes.length < end
    ? undefined
    : { answer: { status, headers, body: bytes.subarray(bodyAt, end) }, length: end };
};

const readChunks = (
  bytes: Buffer,
  from: number,
): { readonly body: Buffer; readonly end: number } | undefined => {
  const parts: Buffer[] = [];
  for (let at = from; ;) {
    const lineEnd = bytes.indexOf(LINE_END, at);
    if (lineEnd === -1) return undefined;
    const size = parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (!(bytes.length >= next)) return undefined;
    if (size === 0) return { body: Buffer.concat(parts), end: next };
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
};
