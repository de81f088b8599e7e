import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../support/free-port.js';
import { hasRedis, startRealRedis, startRedisStub, type RedisServer } from '../support/redis-server.js';
import { startGateway, until, type Running } from '../support/start-gateway.js';
import type { Reply } from '../support/http-client.js';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

const WAIT_MS = 100;

const startReplica = (url: string): Promise<Running> =>
  startGateway({
    cache: { enabled: true, redis: { url, timeoutMs: WAIT_MS } },
    lanes: { count: 1 },
    models: { load: ['spam'] },
  });

/** Closed after the test. */
const startWith = async (url: string): Promise<Running> => {
  const running = await startReplica(url);
  open.push(running);
  return running;
};

const said = ({ headers }: Reply): unknown => headers['x-carpool-cache'];
const predict = ({ client }: Running, text: string): Promise<Reply> =>
  client.post('/predict', { texts: [text] });
const failures = async ({ client }: Running): Promise<number> => {
  const { text } = await client.get('/metrics');
  const counts = [...text.matchAll(/^carpool_cache_redis_failures_total\{.*\} (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
};

/** Until another replica would find what this one keeps. */
const connected = async (one: Running, other: Running): Promise<void> => {
  let i = 0;
  await until(
    'both are connected',
    async () => {
      const text = `are you there ${i++}?`;
      await predict(one, text);
      // What one has written, the other finds a moment later; having looked too early, it would answer from its own memory.
      await new Promise((resolve) => setTimeout(resolve, 20));
      return said(await predict(other, text)) === 'hit';
    },
    30_000,
  );
};

const kinds: [string, () => Promise<RedisServer>][] = [['a stand-in', startRedisStub]];
if (hasRedis()) kinds.push(['redis-server', async () => startRealRedis(await freePort())]);
else it.skip('redis-server is not on this machine: only the stand-in was tried', () => undefined);

/** In this order: each finds the replicas as the one before left them. */
describe.each(kinds)('%s', (_kind, start) => {
  let redis: RedisServer;
  let one: Running;
  let other: Running;
  beforeAll(async () => {
    redis = await start();
    [one, other] = [await startReplica(redis.url), await startReplica(redis.url)];
    await connected(one, other);
  });
  afterAll(async () => {
    await one.close();
    await other.close();
    await redis.close();
  });

  it('shares answers between replicas', async () => {
    const first = await predict(one, 'win a free prize now');
    await until('it is written', async () => {
      const reply = await predict(other, 'win a free prize now');
      expect(reply.body.predictions).toEqual(first.body.predictions);
      return said(reply) === 'hit';
    });
    expect(await failures(one)).toBe(0);
  });

  it('that hangs costs a few waits and then nothing, and no request its answer', async () => {
    redis.hang(true);
    for (let i = 0; i < 10; i++) {
      const reply = await predict(one, `message ${i} while it hangs`);
      expect([reply.status, said(reply)]).toEqual([200, 'miss']);
    }
    const count = await failures(one);
    expect(count).toBeGreaterThanOrEqual(3);
    // Left alone: a try now and then.
    for (let i = 0; i < 10; i++) await predict(one, `another ${i}`);
    expect((await failures(one)) - count).toBeLessThanOrEqual(5);
    // What is in memory needs no Redis.
    expect(said(await predict(one, 'another 3'))).toBe('hit');
  });

  it('is used again once it answers again', async () => {
    redis.hang(false);
    await connected(one, other);
  });

  it('may go away altogether', async () => {
    await redis.close();
    for (let i = 0; i < 5; i++) expect((await predict(one, `gone ${i}`)).status).toBe(200);
  });
});

describe('entries that somebody has broken', () => {
  it('are misses', async () => {
    const redis = await startRedisStub();
    open.push(redis);
    const [one, other] = [await startWith(redis.url), await startWith(redis.url)];
    await connected(one, other);
    const first = await predict(one, 'call me when you are home');
    const entries = redis.entries.size;
    await until('it is written', async () => {
      await predict(one, 'a later one');
      return redis.entries.size > entries;
    });
    for (const value of redis.entries.values()) value[value.length - 1]! ^= 1;
    const reply = await predict(other, 'call me when you are home');
    expect([reply.status, said(reply)]).toEqual([200, 'miss']);
    expect(reply.body.predictions).toEqual(first.body.predictions);
    expect(await other.client.metric('carpool_cache_redis_failures_total{reason="corrupt"}')).toBe(1);
  });
});

describe('no Redis at all', () => {
  it('starts and serves all the same', async () => {
    const running = await startWith(`redis://127.0.0.1:${await freePort()}`);
    expect(said(await predict(running, 'hello'))).toBe('miss');
    expect(said(await predict(running, 'hello'))).toBe('hit');
  });
});
