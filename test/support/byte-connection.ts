import { connect, type Socket } from 'node:net';

/** What became of waiting for an answer. */
export type Waited<A> =
  | { readonly kind: 'answer'; readonly answer: A }
  /** Without a whole answer. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'silence' };

/** @throws Node's error when nobody listens */
export const connectTo = (port: number, allowHalfOpen = false): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });

/** One TCP connection, byte by byte: whoever extends it reads the answers. */
export abstract class ByteConnection {
  readonly #socket: Socket;
  protected received: Buffer = Buffer.alloc(0);
  #isClosed = false;
  #onChange: () => void = () => undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
      this.#onChange();
    });
    // 'close' follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isClosed = true;
      this.#onChange();
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Bytes that belong to no answer read so far: more was answered than asked. */
  get unread(): number {
    return this.received.length;
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

  /** @param look asked now and whenever something has come; undefined = not yet */
  protected wait<A>(limitMs: number, look: () => Waited<A> | undefined): Promise<Waited<A>> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle({ kind: 'silence' }), limitMs);
      const settle = (waited: Waited<A>): void => {
        clearTimeout(timer);
        this.#onChange = () => undefined;
        resolve(waited);
      };
      this.#onChange = () => {
        const waited = look() ?? (this.#isClosed ? { kind: 'closed' as const } : undefined);
        if (waited !== undefined) settle(waited);
      };
      this.#onChange();
    });
  }
}
