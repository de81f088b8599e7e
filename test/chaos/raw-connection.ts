import { ByteConnection, connectTo, type Waited } from '../support/byte-connection.js';

export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export type Outcome = Waited<Answer>;

const HEAD_END = '\r\n\r\n';

/**
 * One HTTP/1.1 connection, byte by byte: it can send half of a request, send slowly, or vanish, and it notices bytes that
 * nobody asked for, such as a second answer.
 */
export class RawConnection extends ByteConnection {
  static async open(port: number): Promise<RawConnection> {
    return new RawConnection(await connectTo(port));
  }

  /** The next whole answer, or why there is none within `limitMs`. */
  answer(limitMs: number): Promise<Outcome> {
    return this.wait(limitMs, () => {
      const answer = this.#takeAnswer();
      return answer === undefined ? undefined : { kind: 'answer', answer };
    });
  }

  /** Waits until something was received or the connection is closed. */
  async firstByte(limitMs: number): Promise<void> {
    await this.wait<Answer>(limitMs, () => (this.received.length > 0 ? { kind: 'silence' } : undefined));
  }

  #takeAnswer(): Answer | undefined {
    const headEnd = this.received.indexOf(HEAD_END);
    if (headEnd === -1) return undefined;
    const [statusLine = '', ...lines] = this.received.toString('latin1', 0, headEnd).split('\r\n');
    const headers = new Map(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    );
    const from = headEnd + HEAD_END.length;
    // Every answer of the gateway has a Content-Length; one without it leaves its body unread, which is noticed.
    const to = from + Number(headers.get('content-length') ?? 0);
    if (this.received.length < to) return undefined;
    const body = this.received.subarray(from, to);
    this.received = this.received.subarray(to);
    return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1] ?? 0), headers, body };
  }
}

/** The head of a request; `contentLength` may be a lie. */
export const requestHead = (
  method: string,
  path: string,
  contentLength: number,
  contentType = 'application/json',
): string => {
  const type = contentLength > 0 ? [`content-type: ${contentType}`] : [];
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'host: localhost',
    ...type,
    `content-length: ${contentLength}`,
  ];
  return lines.join('\r\n') + HEAD_END;
};
