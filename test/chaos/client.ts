import { setTimeout as pause } from 'node:timers/promises';
import type { Act } from './acts.js';
import type { Known } from './known-requests.js';
import { RawConnection, requestHead, type Outcome } from './raw-connection.js';

/** Longest time that any answer may take in the storm; no answer by then is none. */
const ANSWER_LIMIT_MS = 45_000;

export type Ending = Outcome | { readonly kind: 'left' };

/** One client: keeps its connection as long as it can, as HTTP clients do. */
export class Client {
  readonly #port: number;
  #connection: RawConnection | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** Does it and says how it ended. @throws Error when bytes came that belong to no request */
  async perform(act: Act): Promise<Ending> {
    switch (act.kind) {
      case 'ask':
        return this.#send(piecesOf(act.known, act.pieces), act.pauseMs);
      case 'look':
        return this.#send([requestHead('GET', act.path, 0)]);
      case 'bad': {
        const ending = await this.#send([act.request.bytes]);
        if (act.request.spoilsConnection) this.#leave();
        return ending;
      }
      case 'halfBody': {
        const ending = await this.#send([halfOf(act.known)]);
        this.#leave();
        return ending;
      }
      case 'vanish':
        await this.#vanish(act);
        return { kind: 'left' };
    }
  }

  request(method: string, path: string, body = ''): Promise<Outcome> {
    return this.#send([`${requestHead(method, path, Buffer.byteLength(body))}${body}`]);
  }

  close(): void {
    this.#leave();
  }

  async #send(pieces: readonly (string | Uint8Array)[], pauseMs = 0): Promise<Outcome> {
    const connection = await this.#connect();
    for (const [i, piece] of pieces.entries()) {
      if (i > 0) await pause(pauseMs);
      connection.send(piece);
    }
    const outcome = await connection.answer(ANSWER_LIMIT_MS);
    if (outcome.kind !== 'answer' || outcome.answer.headers.get('connection') === 'close') this.#leave();
    if (connection.unread > 0) throw new Error(`${connection.unread} bytes behind the answer`);
    return outcome;
  }

  async #vanish({ known, when, afterMs }: Act & { readonly kind: 'vanish' }): Promise<void> {
    const connection = await this.#connect();
    const body = Buffer.from(known.body);
    const head = requestHead('POST', known.path, body.length);
    switch (when) {
      case 'beforeBody':
        connection.send(head);
        break;
      case 'midBody':
        connection.send(halfOf(known));
        break;
      case 'halfClosed':
        connection.send(halfOf(known));
        connection.endSending();
        if ((await connection.answer(ANSWER_LIMIT_MS)).kind === 'silence')
          throw new Error('a connection that its client has closed on its side is left open');
        break;
      case 'waiting':
        connection.send(Buffer.concat([Buffer.from(head), body]));
        break;
      case 'whileAnswered':
        connection.send(Buffer.concat([Buffer.from(head), body]));
        await connection.firstByte(ANSWER_LIMIT_MS);
        break;
    }
    if (when !== 'whileAnswered') await pause(afterMs);
    this.#leave();
  }

  async #connect(): Promise<RawConnection> {
    const kept = this.#connection;
    if (kept !== undefined && kept.unread > 0) throw new Error(`${kept.unread} bytes that nobody asked for`);
    if (kept !== undefined && !kept.isClosed) return kept;
    this.#connection = await RawConnection.open(this.#port);
    return this.#connection;
  }

  #leave(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }
}

const bytesOf = ({ path, body }: Known): Buffer =>
  Buffer.from(`${requestHead('POST', path, Buffer.byteLength(body))}${body}`);

const halfOf = (known: Known): Buffer => {
  const bytes = bytesOf(known);
  return bytes.subarray(0, bytes.length - (Buffer.byteLength(known.body) >> 1));
};

const piecesOf = (known: Known, count: number): Buffer[] => {
  const bytes = bytesOf(known);
  const size = Math.ceil(bytes.length / count);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
};
