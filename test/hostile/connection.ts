import type { Socket } from 'node:net';
import { ByteConnection, connectTo, type Waited } from '../support/byte-connection.js';
import { readAnswer, type HttpAnswer } from './read-answer.js';

export type Ending = Waited<HttpAnswer>;

/** One HTTP/1.1 connection that sends bytes as they are and reads answers of every framing. */
export class HostileConnection extends ByteConnection {
  private constructor(socket: Socket) {
    super(socket);
    socket.on('end', () => socket.end());
  }

  /** @throws Node's error when nobody listens */
  static async open(port: number): Promise<HostileConnection> {
    return new HostileConnection(await connectTo(port, true));
  }

  /** @param method HEAD has an answer without its body */
  answer(method: string, limitMs: number): Promise<Ending> {
    return this.wait(limitMs, () => {
      const read = readAnswer(this.received, method);
      if (read === undefined) return undefined;
      this.received = this.received.subarray(read.length);
      return { kind: 'answer', answer: read.answer };
    });
  }
}
