import type { Clock } from '#batcher';
import { messageOf } from '../errors.js';
import { Breaker } from './breaker.js';
import { seal, unseal, type Kept } from './envelope.js';
import type { RedisClient } from './redis-client.js';

export interface RedisStoreDeps {
  readonly connect: () => Promise<RedisClient>;
  readonly clock: Clock;
  /** Longest wait for an answer. */
  readonly timeoutMs: number;
  readonly keyPrefix: string;
  /** `error` and `timeout`: asked in vain; `corrupt`: an entry that is none; `dropped`: not written, too much waits. */
  readonly onFailure: (reason: 'error' | 'timeout' | 'corrupt' | 'dropped') => void;
  /** It is given up for a while, or is back. */
  readonly onChange: (isUp: boolean, reason?: string) => void;
}

/** Bytes on their way to Redis above which nothing more is sent. */
const MOST_WAITING_BYTES = 8 * 1024 * 1024;
/** Keys of one command. */
const MOST_KEYS = 128;

/**
 * Answers in Redis, shared by replicas. Never an error and never a long wait: whatever goes wrong is a miss, and after
 * some of it Redis is left alone for a while (see Breaker).
 */
export class RedisStore {
  readonly #deps: RedisStoreDeps;
  readonly #breaker = new Breaker();
  #client: RedisClient | undefined;
  #waitingBytes = 0;
  #isClosed = false;

  constructor(deps: RedisStoreDeps) {
    this.#deps = deps;
  }

  /** Begins to connect; once. */
  open(): void {
    const { connect, onChange } = this.#deps;
    void connect().then(
      (client) => {
        if (this.#isClosed) client.close();
        else this.#client = client;
      },
      (error: unknown) => onChange(false, messageOf(error)),
    );
  }

  /** What is kept under each key, in their order; undefined where nothing is, or nothing came in time. */
  async getAll(keys: readonly string[]): Promise<readonly (Kept | undefined)[]> {
    const client = this.#client;
    if (client === undefined || keys.length === 0 || !this.#breaker.allows(this.#deps.clock.now())) return [];
    const found = await this.#try(() =>
      Promise.all(slicesOf(keys).map((slice) => this.#getSlice(client, slice))),
    );
    return found?.flat() ?? [];
  }

  /** Resolves when they are written, or never will be. */
  async setAll(
    entries: readonly { readonly key: string; readonly kept: Kept; readonly ttlMs: number }[],
  ): Promise<void> {
    const client = this.#client;
    if (client === undefined || entries.length === 0 || !this.#breaker.allows(this.#deps.clock.now())) return;
    const sealed = entries.map(({ key, kept, ttlMs }) => ({
      key: this.#deps.keyPrefix + key,
      value: seal(key, kept),
      ttlMs,
    }));
    const bytes = sealed.reduce((sum, { value }) => sum + value.byteLength, 0);
    if (this.#waitingBytes + bytes > MOST_WAITING_BYTES) {
      this.#deps.onFailure('dropped');
      return;
    }
    this.#waitingBytes += bytes;
    const written = client.setAll(sealed).finally(() => (this.#waitingBytes -= bytes));
    await this.#try(() => written);
  }

  close(): void {
    this.#isClosed = true;
    this.#client?.close();
    this.#client = undefined;
  }

  async #getSlice(client: RedisClient, keys: readonly string[]): Promise<(Kept | undefined)[]> {
    const values = await client.getAll(keys.map((key) => this.#deps.keyPrefix + key));
    return keys.map((key, i) => {
      const value = values[i] ?? undefined;
      const kept = value && unseal(key, value);
      if (value !== undefined && kept === undefined) this.#deps.onFailure('corrupt');
      return kept;
    });
  }

  async #try<T>(work: () => Promise<T>): Promise<T | undefined> {
    const { clock, timeoutMs, onFailure, onChange } = this.#deps;
    const begunAt = clock.now();
    let cancel: (() => void) | undefined;
    const late = new Promise<typeof LATE>((resolve) => {
      // One look at the sockets more: after a stall of the event loop the timer comes before an answer that is there.
      cancel = clock.callAt(clock.now() + timeoutMs, () => setImmediate(() => resolve(LATE)));
    });
    try {
      const result = await Promise.race([work(), late]);
      if (result === LATE) {
        onFailure('timeout');
        this.#failed(begunAt, `no answer within ${timeoutMs} ms`);
        return undefined;
      }
      if (this.#breaker.succeeded()) onChange(true);
      return result;
    } catch (error) {
      onFailure('error');
      this.#failed(begunAt, messageOf(error));
      return undefined;
    } finally {
      cancel?.();
    }
  }

  #failed(begunAt: number, reason: string): void {
    if (this.#isClosed || !this.#breaker.failed(begunAt, this.#deps.clock.now())) return;
    this.#deps.onChange(false, reason);
    // A connection that hangs would keep everything that was ever sent on it.
    this.#client?.reconnect();
  }
}

const LATE = Symbol('late');

const slicesOf = (keys: readonly string[]): string[][] => {
  const slices: string[][] = [];
  for (let from = 0; from < keys.length; from += MOST_KEYS) slices.push(keys.slice(from, from + MOST_KEYS));
  return slices;
};
