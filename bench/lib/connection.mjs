import { connect } from 'node:net';

/** A keep-alive connection with at most one request under way. */
export class Connection {
  #received = '';
  #onAnswer;
  index = -1;

  /** @param onAnswer called with the connection, the status, the head and the body; status 0: the connection is gone */
  constructor(port, onAnswer) {
    this.#onAnswer = onAnswer;
    this.socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
    this.socket.on('data', (chunk) => this.#take(chunk));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => this.#onAnswer(this, 0, '', ''));
  }

  ask(index, bytes) {
    this.index = index;
    this.socket.write(bytes);
  }

  #take(chunk) {
    this.#received += chunk;
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd === -1) return;
    const length = Number(/content-length: (\d+)/i.exec(this.#received)?.[1] ?? 0);
    if (this.#received.length < headEnd + 4 + length) return;
    const answer = this.#received;
    this.#received = '';
    this.#onAnswer(this, Number(answer.slice(9, 12)), answer.slice(0, headEnd), answer.slice(headEnd + 4));
  }
}
