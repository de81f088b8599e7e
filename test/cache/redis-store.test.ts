import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { RedisClient } from '../../src/cache/redis-client.js';
import { RedisStore } from '../../src/cache/redis-store.js';
import { seal, type Kept } from '../../src/cache/envelope.js';
import { FakeClock } from '../support/fake-clock.js';

const KEPT: Kept = { body: new Uint8Array([1, 2, 3]), atUnixMs: 5 };
const LIMIT_MS = 20;

/** A Redis that answers, refuses, or says nothing. */
class FakeRedis implements RedisClient {
  mood: 'well' | 'down' | 'silent' = 'well';
  readonly entries = new Map<string, Buffer>();
  asked = 0;
  reconnects = 0;
  isClosed = false;

  getAll(keys: readonly string[]): Promise<readonly (Uint8Array | null)[]> {
    return this.#answer(() => keys.map((key) => this.entries.get(key) ?? null));
  }
  setAll(entries: readonly { key: string; value: Buffer; ttlMs: number }[]): Promise<void> {
    return this.#answer(() => entries.forEach(({ key, value }) => this.entries.set(key, value)));
  }
  reconnect(): void {
    this.reconnects++;
  }
  close(): void {
    this.isClosed = true;
  }
  #answer<T>(work: () => T): Promise<T> {
    this.asked++;
    if (this.mood === 'silent') return new Promise(() => undefined);
    return this.mood === 'down' ? Promise.reject(new Error('refused')) : Promise.resolve(work());
  }
}

const open = async () => {
  const clock = new FakeClock();
  const redis = new FakeRedis();
  const failures: string[] = [];
  const changes: string[] = [];
  const store = new RedisStore({
    connect: () => Promise.resolve(redis),
    clock,
    timeoutMs: LIMIT_MS,
    keyPrefix: 'p:',
    onFailure: (reason) => failures.push(reason),
    onChange: (isUp, reason) => changes.push(isUp ? 'up' : `down: ${reason ?? ''}`),
  });
  store.open();
  await nextTurn();
  const advance = async (ms: number): Promise<void> => {
    await clock.advance(ms);
    await nextTurn();
  };
  return { clock, redis, failures, changes, store, advance };
};

const entry = { key: 'a', kept: KEPT, ttlMs: 100 };

describe('answers in Redis', () => {
  it('come back by key, in order', async () => {
    const { redis, store, failures, clock } = await open();
    await store.setAll([entry, { ...entry, key: 'c', kept: { ...KEPT, atUnixMs: 7 } }]);
    expect([...redis.entries.keys()]).toEqual(['p:a', 'p:c']);
    expect((await store.getAll(['a', 'b', 'c'])).map((kept) => kept?.atUnixMs)).toEqual([5, undefined, 7]);
    expect([failures, clock.pendingTimers]).toEqual([[], 0]);
  });

  it('that are no entries of ours are misses, and counted', async () => {
    const { redis, store, failures } = await open();
    redis.entries.set('p:a', Buffer.from('something else')).set('p:b', seal('another key', KEPT));
    expect(await store.getAll(['a', 'b'])).toEqual([undefined, undefined]);
    expect(failures).toEqual(['corrupt', 'corrupt']);
  });

  it('are many commands of few keys, where they are many', async () => {
    const { redis, store } = await open();
    const keys = Array.from({ length: 300 }, (_, i) => `k${i}`);
    await store.setAll(keys.map((key, i) => ({ ...entry, key, kept: { ...KEPT, atUnixMs: i } })));
    redis.asked = 0;
    const found = await store.getAll(keys);
    expect(found.map((kept) => kept?.atUnixMs)).toEqual(keys.map((_, i) => i));
    expect(redis.asked).toBe(3);
  });
});

describe('a Redis in trouble', () => {
  it('that is silent costs no more than its time limit', async () => {
    const { redis, store, failures, advance } = await open();
    redis.mood = 'silent';
    let answer: unknown = 'waiting';
    void store.getAll(['a']).then((found) => (answer = found));
    await advance(LIMIT_MS - 1);
    expect(answer).toBe('waiting');
    await advance(1);
    await nextTurn();
    expect(answer).toEqual([]);
    expect(failures).toEqual(['timeout']);
  });

  it('is left alone after three failures, tried again ever more seldom, and used once it is well', async () => {
    const { redis, store, changes, advance } = await open();
    redis.mood = 'down';
    const ask = async (): Promise<number> => {
      redis.asked = 0;
      await store.getAll(['a']);
      return redis.asked;
    };
    expect([await ask(), await ask(), await ask(), await ask(), await ask()]).toEqual([1, 1, 1, 0, 0]);
    expect(changes).toEqual(['down: refused']);
    expect(redis.reconnects).toBe(1);
    await advance(1_000);
    // One try, which fails: twice as long now.
    expect([await ask(), await ask()]).toEqual([1, 0]);
    await advance(1_000);
    expect(await ask()).toBe(0);
    await advance(1_000);
    redis.mood = 'well';
    expect([await ask(), await ask()]).toEqual([1, 1]);
    expect(changes).toEqual(['down: refused', 'up']);
  });

  it('for a moment, while many ask, is left alone for a second only', async () => {
    const { redis, store, advance } = await open();
    redis.mood = 'silent';
    const asked = Array.from({ length: 20 }, () => store.getAll(['a']));
    await advance(LIMIT_MS);
    await Promise.all(asked);
    redis.mood = 'well';
    redis.asked = 0;
    await advance(1_000 - LIMIT_MS);
    await store.getAll(['a']);
    expect(redis.asked).toBe(0);
    await advance(LIMIT_MS);
    await store.getAll(['a']);
    expect(redis.asked).toBe(1);
  });

  it('takes no more writes than a few megabytes at a time', async () => {
    const { redis, store, failures, advance } = await open();
    redis.mood = 'silent';
    const large = { ...entry, kept: { ...KEPT, body: new Uint8Array(5 * 2 ** 20) } };
    const first = store.setAll([large]);
    await store.setAll([large]);
    expect([redis.asked, failures]).toEqual([1, ['dropped']]);
    await advance(LIMIT_MS);
    await first;
  });

  it('that comes too late, after close, is closed at once', async () => {
    const { redis, store } = await open();
    store.close();
    expect(redis.isClosed).toBe(true);
    expect(await store.getAll(['a'])).toEqual([]);
  });
});
