import { afterEach, describe, expect, it } from '@jest/globals';
import { quotasOf } from '../../src/limits/quotas.js';
import { createRedisStore } from '../../src/limits/redis-store.js';
import type { QuotaStore, Taken } from '../../src/limits/store.js';
import { startRedisStub, type RedisStub } from '../support/redis-stub.js';

const quotas = quotasOf({
  ...{ requestsPerSecond: 0, requestsPerMinute: 3, rowsPerMinute: 0, tokensPerMinute: 0 },
  ...{ redisUrl: false, onRedisFailure: 'allow' },
});
const [quota] = quotas;

const stubs: RedisStub[] = [];
const stores: QuotaStore[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) store.close();
  for (const stub of stubs.splice(0)) await stub.close();
});

const start = async (): Promise<RedisStub> => {
  const stub = await startRedisStub();
  stubs.push(stub);
  return stub;
};

/** Connected. */
const open = async (url: string): Promise<QuotaStore> => {
  const store = await createRedisStore(url, quotas);
  stores.push(store);
  return store;
};

const take = (store: QuotaStore): Promise<Taken> => store.take(quota!, 'a', 1);

describe('counting in Redis', () => {
  it('two gateways share one count', async () => {
    const { url, counts } = await start();
    const [one, two] = [await open(url), await open(url)];
    const taken = [await take(one), await take(two), await take(one), await take(two)];
    expect(taken.map(({ isAllowed, remaining }) => [isAllowed, remaining])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
    ]);
    expect(taken[3]?.msBeforeNext).toBe(42_000);
    expect(counts.get('carpool:requests-per-minute:a')).toBe(4);
    await two.giveBack(quota!, 'a', 1);
    expect(counts.get('carpool:requests-per-minute:a')).toBe(3);
  });

  it('throws while nobody is there', async () => {
    const stub = await start();
    const store = await open(stub.url);
    await stub.close();
    stubs.length = 0;
    await expect(take(store)).rejects.toThrow();
    await expect(take(store)).rejects.toThrow();
  });

  it('throws soon when there is no answer', async () => {
    const stub = await start();
    const store = await open(stub.url);
    stub.hang();
    await expect(take(store)).rejects.toThrow(/timed out/i);
  });
});
