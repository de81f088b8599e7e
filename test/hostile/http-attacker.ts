import { setImmediate as nextTurn } from 'node:timers/promises';
import { differs } from '../chaos/differs.js';
import type { Known } from '../chaos/known-requests.js';
import { head, type Attack } from './attack.js';
import { HostileConnection, type Ending } from './connection.js';
import { judge, type Verdict } from './judge.js';

const LIMIT_MS = 30_000;

/** One client: attacks and asks in turn over one connection, which is renewed when an attack has spoilt it. */
export class HttpAttacker {
  readonly #port: number;
  #connection: HostileConnection | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  async attack(attack: Attack): Promise<Verdict> {
    const connection = await this.#open();
    connection.send(attack.bytes);
    if (attack.hangUp !== undefined) {
      await nextTurn();
      if (attack.hangUp === 'end') {
        connection.endSending();
        await connection.answer(attack.method, LIMIT_MS);
      }
      this.close();
      return { label: 'left' };
    }
    const ending = await connection.answer(attack.method, LIMIT_MS);
    const isSpoilt = attack.spoilsConnection === true;
    const isSurplus = connection.unread > 0 && !isSpoilt;
    if (isSpoilt || isSurplus || isLast(ending)) this.close();
    const verdict = judge(attack, ending);
    return isSurplus ? { label: verdict.label, problem: 'more than one answer' } : verdict;
  }

  /** A good request, whose right answer is known. */
  async ask({ path, body, expected }: Known): Promise<Verdict> {
    const connection = await this.#open();
    const bytes = Buffer.from(body);
    const headers = [
      ['host', 'localhost'],
      ['content-type', 'application/json'],
      ['content-length', String(bytes.length)],
    ] as const;
    connection.send(Buffer.concat([head('POST', path, headers), bytes]));
    const ending = await connection.answer('POST', LIMIT_MS);
    if (isLast(ending)) this.close();
    const text = ending.kind === 'answer' ? ending.answer.body.toString() : ending.kind;
    const isAnswered = ending.kind === 'answer' && ending.answer.status === 200;
    const problem = isAnswered ? differs(expected[0], JSON.parse(text)) : text.slice(0, 300);
    return problem === undefined ? { label: 'right' } : { label: 'wrong', problem };
  }

  close(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  async #open(): Promise<HostileConnection> {
    if (this.#connection === undefined || this.#connection.isClosed)
      this.#connection = await HostileConnection.open(this.#port);
    return this.#connection;
  }
}

const isLast = (ending: Ending): boolean =>
  ending.kind !== 'answer' || ending.answer.headers.get('connection') === 'close';
