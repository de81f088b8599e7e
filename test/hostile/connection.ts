import { connect, type Socket } from 'node:net';
import { readAnswer, type HttpAnswer } from './read-answer.js';

export type Ending =
  | { readonly kind: 'answer'; readonly answer: HttpAnswer }
  /** Without a whole answer. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'silence' };

/** One HTTP/1.1 connection that sends bytes as they are and reads answers of every framing. */
export class HostileConnection {
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
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      this.#isClosed = true;
      this.#onChange();
    });
  }

  /** @throws Node's error when nobody listens */
  static open(port: number): Promise<HostileConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new HostileConnection(socket));
      });
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Bytes that belong to no answer read so far: more was answered than asked. */
  get unread(): number {
    return this.#received.length;
  }

  send(bytes: Uint8Array): void {
    if (!this.#isClosed) this.#socket.write(bytes);
  }

  /** Sends no more, but would still read. */
  endSending(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** @param method HEAD has an answer without its body */
  answer(method: string, limitMs: number): Promise<Ending> {
    return new Promise((resolve) => {
      const settle = (ending: Ending): void => {
        clearTimeout(timer);
        this.#onChange = () => undefined;
        resolve(ending);
      };
      const timer = setTimeout(() => settle({ kind: 'silence' }), limitMs);
      this.#onChange = () => {
        const read = readAnswer(this.#received, method);
        if (read !== undefined) {
          this.#received = this.#received.subarray(read.length);
          settle({ kind: 'answer', answer: read.answer });
        } else if (this.#isClosed) settle({ kind: 'closed' });
      };
      this.#onChange();
    });
  }
}
