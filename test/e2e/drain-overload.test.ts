import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpClient } from '../support/http-client.js';
import { SHIPPED_MODELS, tempFolder, until, type TempFolder } from '../support/start-gateway.js';
import { serveChild, type Served } from './serve-child.js';

let folder: TempFolder;
let child: Served | undefined;
beforeEach(async () => {
  folder = await tempFolder();
});
afterEach(async () => {
  await child?.end();
  child = undefined;
  await folder.remove();
});

const DRAIN_MS = 20_000;
/** As many tokens as the model takes: a run of some milliseconds. */
const TEXT = 'the meeting about the free offer is on monday '.repeat(20);

type End = 'answered' | 'refused' | 'lost';

/** Requests in the order sent; `end` is absent while one is open. */
class Overload {
  readonly sent: { readonly id: string; end?: End; status?: number }[] = [];
  readonly #clients: readonly HttpClient[];
  #timer: NodeJS.Timeout | undefined;
  #open = new Set<Promise<void>>();

  constructor(clients: readonly HttpClient[]) {
    this.#clients = clients;
  }

  get open(): number {
    return this.#open.size;
  }

  /** Whether or not the ones before are answered. */
  start(perSecond: number): void {
    let due = 0;
    let before = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      due += ((now - before) * perSecond) / 1000;
      before = now;
      for (; due >= 1; due--) this.send();
    }, 5);
  }

  send(): void {
    const one: (typeof this.sent)[number] = { id: `r${this.sent.length}` };
    this.sent.push(one);
    const client = this.#clients[this.sent.length % this.#clients.length];
    const asked = client
      ?.send({
        ...{ method: 'POST', path: '/predict', body: { texts: [TEXT] } },
        headers: { 'x-request-id': one.id },
      })
      .then(({ status, headers }) => {
        one.status = status;
        one.end = headers['x-request-id'] === one.id ? 'answered' : 'lost';
      })
      .catch((error: unknown) => {
        one.end = (error as { code?: unknown }).code === 'ECONNREFUSED' ? 'refused' : 'lost';
      });
    if (asked === undefined) return;
    this.#open.add(asked);
    void asked.then(() => this.#open.delete(asked));
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
  }
}

/** On a connection of its own. */
const statusOf = async (url: string): Promise<number> => {
  const client = new HttpClient(url);
  const { status } = await client.get('/healthz');
  client.close();
  return status;
};

/** Requests a second of a few clients that ask without a pause. */
const capacity = async (client: HttpClient): Promise<number> => {
  const startedAt = performance.now();
  const REQUESTS = 60;
  let left = REQUESTS;
  const ask = async (): Promise<void> => {
    while (left-- > 0) await client.post('/predict', { texts: [TEXT] });
  };
  await Promise.all([ask(), ask(), ask(), ask()]);
  return (1000 * REQUESTS) / (performance.now() - startedAt);
};

describe('SIGTERM under twice the load that it can bear', () => {
  it('answers every request that it has taken, within the drain time', async () => {
    child = await serveChild(folder.path, {
      server: { drainTimeoutMs: DRAIN_MS, accessLogPerSecond: 1_000_000 },
      log: { format: 'json' },
      lanes: { count: 1, intraOpThreads: 1 },
      batching: { composition: 'off', singleFlight: false, calibrate: 'off', timeoutMs: 5_000 },
      models: { root: SHIPPED_MODELS, load: ['spam'] },
    });
    // Connections that are kept and such that are not: both are there when the server closes.
    const [kept, other] = [new HttpClient(child.url), new HttpClient(child.url)];
    const overload = new Overload([kept, other]);
    overload.start(2 * (await capacity(kept)));
    await until('a queue', () => overload.open >= 40, 60_000);
    // The server takes connections in their order: with this answer it has those that came before, and their bytes.
    const early = [...overload.sent];
    await statusOf(child.url);
    child.process.kill('SIGTERM');
    const sentAt = performance.now();
    // Until nobody listens any more.
    await until('refused', () => overload.sent.some(({ end }) => end === 'refused'), DRAIN_MS);
    await overload.stop();
    expect(await child.exit).toEqual({ code: 0, signal: null });
    expect(performance.now() - sentAt).toBeLessThan(DRAIN_MS);
    kept.close();
    other.close();

    // All that were sent before it knew are answered, in one way or another.
    expect(early.length).toBeGreaterThan(40);
    expect(early.filter(({ end }) => end !== 'answered')).toEqual([]);
    const statuses = new Set(overload.sent.flatMap(({ status }) => status ?? []));
    expect([...statuses].filter((status) => ![200, 429, 503, 504].includes(status))).toEqual([]);
    // What the server says it took is what its clients have answers of; those it did not take it never read.
    const taken = [...child.stdout().matchAll(/"requestId":"(r\d+)".*"status":(\d+)/g)];
    const answered = overload.sent.filter(({ end }) => end === 'answered');
    expect(new Set(taken.map(([, id]) => id))).toEqual(new Set(answered.map(({ id }) => id)));
    expect(taken.filter(([, , status]) => status === '499')).toEqual([]);
  });
});
