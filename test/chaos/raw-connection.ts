import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** What became of waiting for an answer. */
export type Outcome =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'closed' }
  | { readonly kind: 'silence' };

const HEAD_END = '\r\n\r\n';

/**
 * One HTTP/1.1 connection, byte by byte: it can send half of a request, send slowly, or vanish, and it notices bytes that
 * nobody asked for, such as a second answer.
 */
export class RawConnection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #isClosed = false;
  #onChange: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#onChange();
    });
    // 'close' follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isClosed = true;
      this.#onChange();
    });
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawConnection(socket));
      });
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Bytes received that belong to no answer read so far. */
  get unread(): number {
    return this.#received.length;
  }

  send(bytes: string | Uint8Array): void {
    if (!this.#isClosed) this.#socket.write(bytes);
  }

  /** Sends no more, but would still read. */
  endSending(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The next whole answer, or why there is none within `limitMs`. */
  answer(limitMs: number): Promise<Outcome> {
    return this.#wait(limitMs, () => {
      const answer = this.#takeAnswer();
      return answer === undefined ? undefined : { kind: 'answer', answer };
    });
  }

  /** Waits until something was received or the connection is closed. */
  async firstByte(limitMs: number): Promise<void> {
    await this.#wait(limitMs, () => (this.#received.length > 0 ? { kind: 'silence' } : undefined));
  }

  #wait(limitMs: number, look: () => Outcome | undefined): Promise<Outcome> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle({ kind: 'silence' }), limitMs);
      const settle = (outcome: Outcome): void => {
        clearTimeout(timer);
        this.#onChange = () => undefined;
        resolve(outcome);
      };
      this.#onChange = () => {
        const outcome = look() ?? (this.#isClosed ? { kind: 'closed' } : undefined);
        if (outcome !== undefined) settle(outcome);
      };
      this.#onChange();
    });
  }

  #takeAnswer(): Answer | undefined {
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd === -1) return undefined;
    const [statusLine = '', ...lines] = this.#received.toString('latin1', 0, headEnd).split('\r\n');
    const headers = new Map(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    );
    const from = headEnd + HEAD_END.length;
    // Every answer of the gateway has a Content-Length; one without it leaves its body unread, which is noticed.
    const to = from + Number(headers.get('content-length') ?? 0);
    if (this.#received.length < to) return undefined;
    const body = this.#received.subarray(from, to);
    this.#received = this.#received.subarray(to);
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
