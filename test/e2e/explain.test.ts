import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startGateway, until, type Running } from '../support/start-gateway.js';

interface DebugPage {
  readonly lanes: readonly string[];
  readonly models: readonly {
    readonly name: string;
    readonly queue: {
      readonly items: number;
      readonly interactive: number;
      readonly bulk: number;
      readonly byLength: Readonly<Record<string, number>>;
    };
    readonly cost: { readonly alpha_ms: number; readonly runs: number; readonly advice: string };
    readonly decisions: readonly {
      readonly rows: number;
      readonly tokens: number;
      readonly paddedTokens: number;
      readonly reason: string;
      readonly predictedMs: number;
      readonly laneMs?: number;
      readonly waste?: number;
    }[];
  }[];
}

let running: Running;
/** The same models; every answer tells its times. */
let telling: Running;

beforeAll(async () => {
  running = await startGateway({ models: { load: ['spam', 'fraud_detector'] } });
  telling = await startGateway({ server: { serverTiming: true }, models: { load: ['spam'] } });
});
afterAll(() => Promise.all([running.close(), telling.close()]));

const debugPage = async (): Promise<DebugPage['models'][number] & { lanes: readonly string[] }> => {
  const page = JSON.parse((await running.client.get('/debug/batcher')).text) as DebugPage;
  const model = page.models.find(({ name }) => name === 'spam');
  if (model === undefined) throw new Error('spam is not on the page');
  return { ...model, lanes: page.lanes };
};

/** Texts of 2 to 61 words, all different. */
const texts = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${'call me later '.repeat(i % 20)}number ${i}`);

describe('GET /debug/batcher', () => {
  it('under load shows the queue by class and length, and the lanes that are busy', async () => {
    let isOver = false;
    const answered = running.client.post('/predict', { texts: texts(1_500) }).then((reply) => {
      isOver = true;
      return reply;
    });
    let seen: Awaited<ReturnType<typeof debugPage>> | undefined;
    await until('a look at the queue while a lane runs', async () => {
      const page = await debugPage();
      if (page.queue.items > 0 && page.lanes.includes('running')) seen = page;
      return seen !== undefined || isOver;
    });
    const { status } = await answered;
    expect(status).toBe(200);
    const { items = 0, interactive, bulk, byLength = {} } = seen?.queue ?? {};
    // One request of 1500 texts is bulk.
    expect([interactive, bulk]).toEqual([0, items]);
    expect(Object.values(byLength).reduce((a, b) => a + b, 0)).toBe(items);
    expect(Object.keys(byLength).every((edge) => Math.log2(Number(edge)) % 1 === 0)).toBe(true);
    expect(items).toBeGreaterThan(0);
  });

  it('shows each of the last batches with its size, padding, reason, predicted and real time', async () => {
    await Promise.all(texts(40).map((text) => running.client.post('/predict', { texts: [text] })));
    const { decisions, cost, lanes, queue } = await debugPage();
    expect(lanes).toEqual(['idle', 'idle']);
    expect(queue).toMatchObject({ items: 0, byLength: {} });
    expect(cost.runs).toBeGreaterThan(0);
    expect(cost.alpha_ms).toBeGreaterThan(0);
    expect(cost.advice).not.toBe('');
    expect(decisions.length).toBeGreaterThan(0);
    for (const { rows, tokens, paddedTokens, reason, predictedMs, laneMs, waste } of decisions) {
      expect(rows).toBeGreaterThan(0);
      expect(paddedTokens).toBeGreaterThanOrEqual(tokens);
      expect(['cost', 'lane_free']).toContain(reason);
      expect(predictedMs).toBeGreaterThan(0);
      expect(laneMs).toBeGreaterThan(0);
      expect(waste).toBeGreaterThanOrEqual(0);
      expect(waste).toBeLessThan(1);
    }
  });
});

describe('Server-Timing', () => {
  /** Durations and the batch's rows by name. */
  const parse = (header: string | string[] | undefined): Record<string, number> =>
    Object.fromEntries(
      String(header)
        .split(', ')
        .map((part) => [part.split(';')[0] ?? '', Number(/(?:dur=|desc=")([\d.]+)/.exec(part)?.[1])]),
    );
  const post = (to: Running, path: string, body: unknown, headers = {}) =>
    to.client.send({ method: 'POST', path, body, headers });

  it.each([
    ['/predict', { texts: ['call me later', 'free prize'] }, 2],
    ['/v1/models/spam/infer', { texts: ['call me later'] }, 1],
    ['/v1/models/fraud_detector/infer', { inputs: [Array.from({ length: 30 }, () => 0)] }, 1],
  ])('%s tells its stages when asked', async (path, body, rows) => {
    const reply = await post(running, path, body, { 'x-server-timing': '1' });
    expect(reply.status).toBe(200);
    const timing = parse(reply.headers['server-timing']);
    expect(Object.keys(timing)).toEqual(['tokenize', 'queue', 'run', 'total', 'batch']);
    const { tokenize = NaN, queue = NaN, run = NaN, total = NaN, batch } = timing;
    expect(run).toBeGreaterThan(0);
    // Each is rounded to a microsecond.
    expect(tokenize + queue + run).toBeLessThanOrEqual(total + 0.002);
    expect(batch).toBeGreaterThanOrEqual(1);
    expect(batch).toBeLessThanOrEqual(rows);
  });

  it('is silent when nobody asks, always there when switched on, and never on what no model answered', async () => {
    const body = { texts: ['call me later'] };
    expect((await post(running, '/predict', body)).headers['server-timing']).toBeUndefined();
    expect((await post(telling, '/predict', body)).headers['server-timing']).toMatch(/^tokenize;dur=/);
    expect((await post(telling, '/predict', { texts: 5 })).headers['server-timing']).toBeUndefined();
    expect((await telling.client.get('/v1/models')).headers['server-timing']).toBeUndefined();
  });
});
