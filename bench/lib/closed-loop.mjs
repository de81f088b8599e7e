import { Connection } from './connection.mjs';
import { ascending, quantile } from './stats.mjs';

/** Confidence has three decimals in the answer. */
const TOLERANCE = 1.1e-3;
const LETTER = /[a-z]/gi;

/**
 * The text with the case of its letters as the bits of `serial`: a text that was never sent before, of the same length
 * and the same tokens, for the model's tokenizer lowers all letters.
 */
const unique = (text, serial) => {
  let bits = serial;
  return text.replace(LETTER, (letter) => {
    const isUpper = bits % 2 === 1;
    bits = Math.floor(bits / 2);
    return isUpper ? letter.toUpperCase() : letter;
  });
};

const bytesOf = (question, serial) => {
  const body = question.body ?? JSON.stringify({ texts: question.texts.map((text) => unique(text, serial)) });
  return `POST ${question.path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
};

const agrees = (want, got) => {
  if (typeof want === 'number' && typeof got === 'number') return Math.abs(want - got) <= TOLERANCE;
  if (typeof want !== 'object' || want === null) return want === got;
  return Object.keys(want).every((key) => agrees(want[key], got?.[key]));
};

const CLOSED = { status: 0, body: 'connection closed' };

/** A connection whose answers are waited for. */
class Client {
  #settle = () => undefined;
  #connection;

  constructor(port) {
    this.#connection = new Connection(port, (_connection, status, _head, body) =>
      this.#settle(status === 0 ? CLOSED : { status, body }),
    );
  }

  get socket() {
    return this.#connection.socket;
  }

  ask(bytes) {
    return new Promise((resolve) => {
      this.#settle = resolve;
      if (this.socket.destroyed) resolve(CLOSED);
      else this.#connection.ask(0, bytes);
    });
  }
}

/**
 * `clients` connections, each with one request open at all times, until `seconds` are over or `requests` are sent. Every
 * answer is checked.
 *
 * @param firstSerial of this run's requests: runs with serials apart share no text
 */
export const closedLoop = async ({
  port,
  questions,
  clients,
  seconds,
  requests = Infinity,
  firstSerial = 0,
}) => {
  const latencies = [];
  const problems = {};
  let sent = 0;
  const startedAt = performance.now();
  const until = startedAt + seconds * 1000;
  const client = async () => {
    const connection = new Client(port);
    while (sent < requests && performance.now() < until) {
      const serial = firstSerial + sent++;
      const question = questions[serial % questions.length];
      const askedAt = performance.now();
      const { status, body } = await connection.ask(bytesOf(question, serial));
      latencies.push(performance.now() - askedAt);
      const problem =
        status === 200
          ? agrees(question.want, JSON.parse(body))
            ? undefined
            : `wrong: ${body}`
          : `${status} ${body}`;
      if (problem !== undefined) problems[problem.slice(0, 200)] = (problems[problem.slice(0, 200)] ?? 0) + 1;
      if (status === 0) break;
    }
    connection.socket.destroy();
  };
  await Promise.all(Array.from({ length: clients }, client));
  const ms = performance.now() - startedAt;
  const sorted = ascending(latencies);
  const [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1].map((q) => quantile(sorted, q));
  return {
    answers: sorted.length,
    ms,
    perSecond: (sorted.length / ms) * 1000,
    p50,
    p95,
    p99,
    max,
    sent,
    problems,
  };
};
