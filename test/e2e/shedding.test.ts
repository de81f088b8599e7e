import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { HttpClient, Reply } from '../support/http-client.js';
import {
  startGateway,
  tempModelRoot,
  until,
  type Running,
  type TempFolder,
} from '../support/start-gateway.js';

const MAX_QUEUE = 8;

let root: TempFolder;
let running: Running;
let client: HttpClient;

/**
 * One lane, and `slow` a row at a time, 100 ms and more each: what runs and what waits is no matter of luck. `hasty`
 * itself takes no time, but gives up after 20 ms. Requests are alike and counted, so none rides on another's run.
 */
beforeAll(async () => {
  root = await tempModelRoot();
  running = await startGateway({
    lanes: { count: 1 },
    batching: { singleFlight: false },
    models: {
      root: root.path,
      load: ['fraud_detector'],
      slow: { batching: { maxBatch: 1, maxQueue: MAX_QUEUE, shedding: false } },
      hasty: { batching: { timeoutMs: 20, shedding: false } },
    },
  });
  ({ client } = running);
  await client.load('slow', 'slow.onnx');
  await client.load('hasty', 'multi_io.onnx');
});
afterAll(async () => {
  await running.close();
  await root.remove();
});

const rows = (count: number, first = 0): number[][] =>
  Array.from({ length: count }, (_, i) => Array.from({ length: 64 }, () => first + i));
const ask = (count: number, more: object = {}): Promise<Reply> => client.infer('slow', rows(count), more);
const askHasty = (): Promise<Reply> => client.infer('hasty', { a: [[1, 1, 1]], b: [[1, 1]] });
const expectRight = (reply: Reply | undefined, count: number): void => {
  expect(reply?.status).toBe(200);
  expect(reply?.body.outputs).toEqual({ y: rows(count, 1) });
};

/** An ask that its client can leave. */
const askAndLeave = (count: number): { leave(): void; readonly ended: Promise<unknown> } => {
  const leaving = new AbortController();
  const sending = { method: 'POST', path: '/v1/models/slow/infer', body: { inputs: rows(count) } };
  const ended = client
    .send({ ...sending, signal: leaving.signal })
    .catch((error: unknown) => (error as { code?: unknown }).code);
  return { leave: () => leaving.abort(), ended };
};

const SERIES = {
  ran: 'carpool_batch_rows_sum{model="slow"}',
  done: 'carpool_run_seconds_count{model="slow"}',
  admitted: 'carpool_admitted_rows_total{model="slow"}',
  expired: 'carpool_expired_rows_total{model="slow"}',
  cancelled: 'carpool_cancelled_rows_total{model="slow"}',
  full: 'carpool_refused_total{model="slow",code="QUEUE_FULL",reason="full"}',
  tooLarge: 'carpool_refused_total{model="slow",code="PAYLOAD_TOO_LARGE",reason="too_large"}',
  left: 'http_request_total{method="POST",route="/v1/models/:m/infer",status="499"}',
} as const;
type Counter = keyof typeof SERIES;

const queued = (): Promise<number> => client.metric('carpool_queue_rows{model="slow"}');

/** What is counted from here on. */
const watch = async (): Promise<(name: Counter) => Promise<number>> => {
  const base = new Map<Counter, number>();
  // Checked: the keys are those of the constant above.
  for (const name of Object.keys(SERIES) as Counter[]) base.set(name, await client.metric(SERIES[name]));
  return async (name) => (await client.metric(SERIES[name])) - (base.get(name) ?? 0);
};

/** Fills the one lane; resolves when its first row is in its run. */
const occupy = async (count: number): Promise<{ readonly answer: Promise<Reply> }> => {
  const counted = await watch();
  const answer = ask(count);
  await until('the lane is in a run', async () => (await counted('ran')) === 1);
  // In an object: awaiting the promise of a promise would wait for both.
  return { answer };
};

describe('a deadline', () => {
  it('answers 504 in time, and what was late never runs', async () => {
    const counted = await watch();
    const first = await occupy(4);
    const late = await ask(3, { timeoutMs: 1 });
    const ranMeanwhile = await counted('ran');
    expect([late.status, late.body.error?.code]).toEqual([504, 'DEADLINE_EXCEEDED']);
    expect(late.body.error?.message).toMatch(
      /within the \d+ ms that the request had left|time was over \d+ ms before/,
    );
    // Long before the runs ahead of it were over.
    expect(ranMeanwhile).toBeLessThan(4);
    expect(await counted('expired')).toBe(3);
    expectRight(await first.answer, 4);
    expect([await counted('ran'), await queued()]).toEqual([4, 0]);
  });

  it('of the model counts where the request names none, and is kept while the lane is busy', async () => {
    const first = await occupy(3);
    const counted = await watch();
    const patient = client.infer('hasty', { a: [[1, 1, 1]], b: [[1, 1]] }, { timeoutMs: 60_000 });
    const late = await askHasty();
    // The lane has not come free for it to be looked at: the deadline itself answered.
    expect(await counted('done')).toBeLessThan(3);
    expect([late.status, late.body.error?.code]).toEqual([504, 'DEADLINE_EXCEEDED']);
    expect(late.body.error?.message).toMatch(/within the \d+ ms/);
    expect((await patient).body.outputs).toEqual({ sum: [[5]], scaled: [[2, 2, 2]] });
    expectRight(await first.answer, 3);
  });

  it('that passes between the runs of its rows frees those that have not begun', async () => {
    const counted = await watch();
    const { status } = await ask(MAX_QUEUE, { timeoutMs: 250 });
    expect(status).toBe(504);
    const next = ask(1);
    expectRight(await next, 1);
    const [ran, expired] = [(await counted('ran')) - 1, await counted('expired')];
    expect(ran).toBeGreaterThan(0);
    expect(expired).toBeGreaterThan(0);
    expect(ran + expired).toBe(MAX_QUEUE);
  });
});

describe('a client that goes away', () => {
  it('frees its queued rows at once, and they never run', async () => {
    const counted = await watch();
    const first = await occupy(4);
    const leaving = askAndLeave(4);
    const staying = ask(1);
    await until('both wait', async () => (await counted('admitted')) === 9);
    leaving.leave();
    expect(await leaving.ended).toBe('ABORT_ERR');
    await until('its rows are cancelled', async () => (await counted('cancelled')) === 4);
    // While the first request still has rows to run: nobody had to wait for a lane to notice.
    expect(await counted('ran')).toBeLessThan(4);
    expect(await queued()).toBeLessThanOrEqual(4);
    expectRight(await first.answer, 4);
    expectRight(await staying, 1);
    expect([await counted('ran'), await queued()]).toEqual([5, 0]);
    expect(await counted('left')).toBe(1);
  });

  it('in the middle of its run harms nobody', async () => {
    const counted = await watch();
    const leaving = askAndLeave(1);
    await until('the lane is in its run', async () => (await counted('ran')) === 1);
    const next = ask(2);
    leaving.leave();
    expect(await leaving.ended).toBe('ABORT_ERR');
    expectRight(await next, 2);
    // The scrape itself.
    expect(await client.metric('http_request_in_flight')).toBe(1);
  });
});

describe('a full queue', () => {
  it('refuses a request whole, with 429 and Retry-After, and takes what fits', async () => {
    const counted = await watch();
    const first = await occupy(1);
    const second = ask(MAX_QUEUE - 1);
    await until('it waits', async () => (await counted('admitted')) === MAX_QUEUE);
    // Refused for as long as a single row waits, and there is room for some of it all the time.
    const refused = await ask(MAX_QUEUE);
    expect([refused.status, refused.body.error?.code]).toEqual([429, 'QUEUE_FULL']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(refused.body.error?.message).toMatch(/8 rows do not fit: [1-7] of at most 8 are waiting/);
    const third = ask(1);
    await until('it waits', async () => (await counted('admitted')) === MAX_QUEUE + 1);
    const [alsoRefused, other] = await Promise.all([
      ask(MAX_QUEUE),
      client.infer('hasty', { a: [[1, 1, 1]], b: [[1, 1]] }, { timeoutMs: 60_000 }),
    ]);
    expect(alsoRefused.status).toBe(429);
    expectRight(await first.answer, 1);
    expectRight(await second, MAX_QUEUE - 1);
    expectRight(await third, 1);
    // The queue of another model is its own.
    expect(other.status).toBe(200);
    expect([await counted('full'), await counted('admitted')]).toEqual([2, MAX_QUEUE + 1]);
    expect([await counted('ran'), await queued()]).toEqual([MAX_QUEUE + 1, 0]);
  });

  it('can never take a request of more rows: 413, even when it is empty', async () => {
    const counted = await watch();
    const { status, body, headers } = await ask(MAX_QUEUE + 1);
    expect([status, body.error?.code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    expect(body.error?.message).toMatch(/9 rows in one request can never fit: the queue holds at most 8/);
    expect(headers['retry-after']).toBeUndefined();
    expect([await counted('ran'), await counted('admitted'), await counted('tooLarge')]).toEqual([0, 0, 1]);
    expectRight(await ask(1), 1);
  });
});
