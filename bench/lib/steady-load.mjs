import { Agent, request } from 'node:http';
import { ascending, quantile } from './stats.mjs';

const TOLERANCE = 1.1e-3;
/** Ends that are no answer, and allow the same request again. */
const RETRYABLE = new Set(['MODEL_UNAVAILABLE', 'WORKER_LOST', 'QUEUE_FULL', 'DEADLINE_EXCEEDED']);

const agrees = (want, got) => {
  if (typeof want === 'number' && typeof got === 'number') return Math.abs(want - got) <= TOLERANCE;
  if (typeof want !== 'object' || want === null) return want === got;
  return Object.keys(want).every((key) => agrees(want[key], got?.[key]));
};

/**
 * Sends questions at a steady mean rate (Poisson), whether or not others are answered, until told to stop; checks every
 * answer. Latency counts from the time that a request was due.
 */
export class SteadyLoad {
  #agent = new Agent({ keepAlive: true, maxSockets: 512 });
  #open = new Set();
  #isOver = false;
  #counts = {};
  #latencies = [];
  #problems = [];

  /** @param options `{port, questions, perSecond, random}` */
  constructor(options) {
    this.options = options;
    this.#tick(0, performance.now());
  }

  /** Waits for the last answer. @returns counts, `p50`, `p99` (ms, of right answers), problems */
  async stop() {
    this.#isOver = true;
    await Promise.all(this.#open);
    this.#agent.destroy();
    const sorted = ascending(this.#latencies);
    const answered = Object.values(this.#counts).reduce((sum, count) => sum + count, 0);
    return {
      sent: this.sent,
      answered,
      counts: this.#counts,
      p50: quantile(sorted, 0.5),
      p99: quantile(sorted, 0.99),
      problems: this.#problems.slice(0, 10),
      wrong: this.#problems.length,
    };
  }

  #tick(index, dueAt) {
    if (this.#isOver) return;
    const { questions, perSecond, random } = this.options;
    let at = dueAt;
    let next = index;
    while (at <= performance.now()) {
      const asked = this.#ask(questions[next % questions.length], at).finally(() => this.#open.delete(asked));
      this.#open.add(asked);
      next++;
      at += (-Math.log(1 - random()) / perSecond) * 1000;
    }
    this.sent = next;
    setTimeout(() => this.#tick(next, at), Math.max(0, at - performance.now()));
  }

  async #ask(question, dueAt) {
    const { status, body } = await this.#post(question);
    const code = status === 200 ? '200' : `${status} ${body?.error?.code ?? ''}`;
    this.#counts[code] = (this.#counts[code] ?? 0) + 1;
    if (status === 200) this.#latencies.push(performance.now() - dueAt);
    const isRight =
      status === 200
        ? agrees(question.want, body)
        : RETRYABLE.has(body?.error?.code) || question.mayFail === true;
    if (!isRight) this.#problems.push(`${question.path}: ${code} ${JSON.stringify(body).slice(0, 200)}`);
  }

  #post({ path, body, texts }) {
    const payload = Buffer.from(body ?? JSON.stringify({ texts }));
    const headers = { 'content-type': 'application/json', 'content-length': payload.length };
    return new Promise((resolve) => {
      const options = {
        agent: this.#agent,
        host: '127.0.0.1',
        port: this.options.port,
        path,
        method: 'POST',
        headers,
      };
      const req = request(options, (res) => {
        const chunks = [];
        res.on('data', (chunk) => chunks.push(chunk));
        res.on('error', (error) => resolve({ status: 0, body: { error: { code: error.code } } }));
        res.on('end', () =>
          resolve({ status: res.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) }),
        );
      });
      req.on('error', (error) => resolve({ status: 0, body: { error: { code: error.code } } }));
      req.end(payload);
    });
  }
}
