import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Item } from '#batcher';
import { ownTokens } from '../codec/own-tokens.js';
import type { Payload } from '../executor/join.js';
import type { ItemOutput } from '../infer.js';
import type { Signature } from '../models/signature.js';
import type { Kept } from './envelope.js';
import { inputBytes, itemKey, MOST_INPUT_BYTES } from './item-key.js';
import type { MemoryStore } from './memory-store.js';
import { packOutputs, unpackOutputs } from './pack-outputs.js';
import type { CachePolicy } from './policy.js';
import type { RedisStore } from './redis-store.js';

/** What one version of a model shares with the others. */
export interface CacheStores {
  readonly memory: MemoryStore;
  readonly redis: RedisStore | undefined;
  /** Milliseconds since 1970: what ages count in, here and in other processes. */
  readonly unixNow: () => number;
  readonly onCorrupt: () => void;
}

export interface ModelCacheOptions {
  readonly fingerprint: string;
  readonly signature: Signature;
  /** false: the model is run one request at a time, and axis 0 of its outputs may be anything. */
  readonly hasRows: boolean;
  readonly ttlMs: number;
}

/** What the cache knows of one item. */
export interface Looked {
  /** undefined: the item is not looked up nor kept. */
  readonly key: string | undefined;
  readonly found?: { readonly value: ItemOutput; readonly ageMs: number };
}

/** What is to be kept of one item. */
export interface Answer {
  readonly key: string;
  readonly payload: Payload;
  readonly value: ItemOutput;
}

/** Items and bytes that are hashed before others get their turn on the event loop: about 0.5 ms. */
const SLICE_ITEMS = 128;
const SLICE_BYTES = 512 * 1024;

/** The answers of one version of a model. Never throws and never rejects: what goes wrong is a miss. */
export class ModelCache {
  readonly #stores: CacheStores;
  readonly #options: ModelCacheOptions;

  constructor(stores: CacheStores, options: ModelCacheOptions) {
    this.#stores = stores;
    this.#options = options;
  }

  /** One for every item, in their order: first in memory, then what is not there in Redis. */
  async look(items: readonly Item<Payload>[], { reads, maxAgeMs }: CachePolicy): Promise<Looked[]> {
    const looked: Looked[] = [];
    let bytes = 0;
    for (const item of items) {
      const size = inputBytes(item.payload);
      bytes += size;
      const key = size > MOST_INPUT_BYTES ? undefined : itemKey(this.#options.fingerprint, item.payload);
      const kept = reads && key !== undefined ? this.#stores.memory.get(key) : undefined;
      looked.push(this.#open(item, key, kept, maxAgeMs));
      if (looked.length % SLICE_ITEMS !== 0 && bytes < SLICE_BYTES) continue;
      bytes = 0;
      if (looked.length < items.length) await nextTurn();
    }
    if (reads && this.#stores.redis !== undefined)
      await this.#lookInRedis(this.#stores.redis, items, looked, maxAgeMs);
    return looked;
  }

  /** After whatever has to be done now, and some of them at a time. */
  async keep(answers: readonly Answer[]): Promise<void> {
    const { memory, redis, unixNow } = this.#stores;
    const { signature, ttlMs } = this.#options;
    const atUnixMs = unixNow();
    for (let from = 0; from < answers.length; from += SLICE_ITEMS) {
      await nextTurn();
      const entries = answers.slice(from, from + SLICE_ITEMS).map(({ key, payload, value }) => {
        // Without the padding of the batch that it rode in.
        const own = payload.kind === 'text' ? ownTokens(signature, value, payload.ids.length) : value;
        const kept: Kept = { body: packOutputs(own), atUnixMs };
        memory.set(key, kept, ttlMs);
        return { key, kept, ttlMs };
      });
      void redis?.setAll(entries);
    }
  }

  async #lookInRedis(
    redis: RedisStore,
    items: readonly Item<Payload>[],
    looked: Looked[],
    maxAgeMs: number,
  ): Promise<void> {
    const open = [...looked.entries()].filter(
      ([, { key, found }]) => key !== undefined && found === undefined,
    );
    const answers = await redis.getAll(open.map(([, { key }]) => key ?? ''));
    for (const [i, [index, { key }]] of open.entries()) {
      const kept = answers[i];
      const item = items[index];
      if (kept === undefined || key === undefined || item === undefined) continue;
      const ageMs = this.#ageOf(kept);
      const opened = this.#open(item, key, kept, maxAgeMs);
      looked[index] = opened;
      if (opened.found !== undefined) this.#stores.memory.set(key, kept, this.#options.ttlMs - ageMs);
    }
  }

  #open(item: Item<Payload>, key: string | undefined, kept: Kept | undefined, maxAgeMs: number): Looked {
    if (kept === undefined || key === undefined) return { key };
    const ageMs = this.#ageOf(kept);
    if (ageMs > maxAgeMs || ageMs >= this.#options.ttlMs) return { key };
    const { signature, hasRows } = this.#options;
    const value = unpackOutputs(kept.body, signature, hasRows ? item.rows : undefined);
    if (value === undefined) this.#stores.onCorrupt();
    return value === undefined ? { key } : { key, found: { value, ageMs } };
  }

  /** Clocks of other machines may be ahead. */
  #ageOf({ atUnixMs }: Kept): number {
    return Math.max(0, this.#stores.unixNow() - atUnixMs);
  }
}
