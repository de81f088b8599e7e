import { describe, expect, it } from '@jest/globals';
import { CarpoolError } from '../../src/errors.js';
import { rateLimitHeaders } from '../../src/limits/headers.js';
import { Limiter, type Charged, type LimiterDeps, type Refund } from '../../src/limits/limiter.js';
import { quotasOf } from '../../src/limits/quotas.js';
import { createMemoryStore, type QuotaStore } from '../../src/limits/store.js';

const NONE = { requestsPerSecond: 0, requestsPerMinute: 0, rowsPerMinute: 0, tokensPerMinute: 0 };
const OF_MEMORY = { redisUrl: false, onRedisFailure: 'allow' } as const;

interface Bench {
  readonly limiter: Limiter;
  readonly refused: string[];
  readonly faults: string[];
  readonly wait: (ms: number) => void;
}

const bench = (limits: Partial<typeof NONE>, more: Partial<LimiterDeps> = {}): Bench => {
  const quotas = quotasOf({ ...NONE, ...OF_MEMORY, ...limits });
  const refused: string[] = [];
  const faults: string[] = [];
  let nowMs = 0;
  const limiter = new Limiter({
    ...{ quotas, store: createMemoryStore(quotas), now: () => nowMs, onStoreFailure: 'allow' },
    onRefused: (reason) => refused.push(reason),
    onStoreFault: (message) => faults.push(message),
    ...more,
  });
  return { limiter, refused, faults, wait: (ms) => (nowMs += ms) };
};

const by = (caller: string): Charged => ({ caller, quotas: undefined });

const errorOf = async (charged: Promise<unknown>): Promise<CarpoolError> => {
  try {
    await charged;
  } catch (error) {
    return error as CarpoolError;
  }
  throw new Error('it was allowed');
};

describe('quotas', () => {
  it('none are made of zeros', () => {
    expect(quotasOf({ ...NONE, ...OF_MEMORY })).toEqual([]);
  });

  it('a caller has so many requests, each caller as many, and is told when there are more', async () => {
    const { limiter, refused } = bench({ requestsPerMinute: 2 });
    const ask = (caller: string): Promise<Refund> => limiter.charge(by(caller), { requests: 1 });
    await ask('a');
    await ask('a');
    const error = await errorOf(ask('a'));
    expect(error.code).toBe('RATE_LIMITED');
    expect(error.message).toMatch(/^expected at most 2 requests in 60 s, got more; more from \d+ s on$/);
    expect(error.retryAfterSeconds).toBeGreaterThan(0);
    expect(error.retryAfterSeconds).toBeLessThanOrEqual(60);
    await ask('b');
    expect(refused).toEqual(['requests_per_minute']);
  });

  it('what is refused costs nothing: neither in its quota nor in the others', async () => {
    const { limiter, refused } = bench({ rowsPerMinute: 10, tokensPerMinute: 100 });
    const take = (rows: number, tokens: number): Promise<Refund> => limiter.charge(by('a'), { rows, tokens });
    await take(4, 90);
    await errorOf(take(5, 20));
    await errorOf(take(7, 1));
    await take(6, 10);
    expect(refused).toEqual(['tokens_per_minute', 'rows_per_minute']);
  });

  it('what was not taken after all is given back, and the headers say so', async () => {
    const { limiter } = bench({ rowsPerMinute: 10, tokensPerMinute: 100 });
    const request = by('a');
    const refund = await limiter.charge(request, { rows: 10, tokens: 30 });
    expect(request.quotas?.map(({ remaining }) => remaining)).toEqual([0, 70]);
    refund();
    expect(request.quotas?.map(({ remaining }) => remaining)).toEqual([10, 100]);
    await limiter.charge(by('a'), { rows: 10, tokens: 100 });
    await errorOf(limiter.charge(by('a'), { rows: 1 }));
  });

  it('what could never be allowed is PAYLOAD_TOO_LARGE, not "try again"', async () => {
    const { limiter, refused } = bench({ rowsPerMinute: 10 });
    const error = await errorOf(limiter.charge(by('a'), { rows: 11 }));
    expect(error.code).toBe('PAYLOAD_TOO_LARGE');
    expect(error.message).toContain('expected at most 10 rows');
    expect(error.message).toContain('got 11');
    expect(refused).toEqual([]);
  });

  it('asks nothing of quotas that the work is not about', async () => {
    const { limiter } = bench({ requestsPerMinute: 1, tokensPerMinute: 5 });
    const request = by('a');
    for (let i = 0; i < 5; i++) await limiter.charge(request, { rows: 100, tokens: 0 });
    expect(request.quotas).toBeUndefined();
  });
});

describe('headers', () => {
  it('name every quota, and the nearest to its end in the old way', async () => {
    const { limiter } = bench({ requestsPerMinute: 10, rowsPerMinute: 100 });
    const request = by('a');
    await limiter.charge(request, { requests: 1 });
    await limiter.charge(request, { rows: 30 });
    await limiter.charge(request, { rows: 40 });
    expect(rateLimitHeaders(request.quotas ?? [])).toEqual({
      'ratelimit-policy': '"requests-per-minute";q=10;w=60, "rows-per-minute";q=100;w=60',
      ratelimit: expect.stringMatching(
        /^"requests-per-minute";r=9;t=(60|59), "rows-per-minute";r=30;t=(60|59)$/,
      ),
      'ratelimit-limit': 100,
      'ratelimit-remaining': 30,
      'ratelimit-reset': expect.any(Number),
    });
  });
});

describe('a store that can not be reached', () => {
  const dead = (asked: { times: number }): QuotaStore => ({
    take: () => {
      asked.times++;
      return Promise.reject(new Error('ECONNREFUSED'));
    },
    giveBack: () => Promise.reject(new Error('ECONNREFUSED')),
    close: () => undefined,
  });

  it('lets all pass where it may, and is not asked again for a second', async () => {
    const asked = { times: 0 };
    const { limiter, faults, refused, wait } = bench({ requestsPerMinute: 1 }, { store: dead(asked) });
    for (let i = 0; i < 5; i++) await limiter.charge(by('a'), { requests: 1 });
    expect([asked.times, faults, refused]).toEqual([1, ['ECONNREFUSED'], []]);
    wait(1001);
    await limiter.charge(by('a'), { requests: 1 });
    expect(asked.times).toBe(2);
  });

  it('refuses what it can not count whole, and keeps nothing of it', async () => {
    const quotas = quotasOf({ ...NONE, ...OF_MEMORY, rowsPerMinute: 10, tokensPerMinute: 100 });
    const memory = createMemoryStore(quotas);
    let isUp = false;
    const store: QuotaStore = {
      ...memory,
      take: (quota, ...rest) =>
        quota.unit === 'tokens' && !isUp
          ? Promise.reject(new Error('ECONNREFUSED'))
          : memory.take(quota, ...rest),
    };
    const { limiter, wait } = bench(
      { rowsPerMinute: 10, tokensPerMinute: 100 },
      { quotas, store, onStoreFailure: 'deny' },
    );
    const ask = (): Promise<Refund> => limiter.charge(by('a'), { rows: 10, tokens: 1 });
    expect((await errorOf(ask())).message).toMatch(/can not be counted now/);
    isUp = true;
    wait(1001);
    await ask();
  });

  it('refuses all where it must', async () => {
    const store = dead({ times: 0 });
    const { limiter, refused } = bench({ requestsPerMinute: 1 }, { store, onStoreFailure: 'deny' });
    for (let i = 0; i < 2; i++)
      expect((await errorOf(limiter.charge(by('a'), { requests: 1 }))).code).toBe('RATE_LIMITED');
    expect(refused).toEqual(['store_down', 'store_down']);
  });
});
