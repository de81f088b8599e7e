import { LRUCache } from 'lru-cache';
import type { Kept } from './envelope.js';

/** The key, the entry and its place in the list, about. */
const ENTRY_BYTES = 256;
/** One answer may fill no more than this part. */
const MOST_OF_ALL = 8;

/** Answers in memory, of all models: at most `maxBytes` of them, the least recently used go first. */
export class MemoryStore {
  readonly #entries: LRUCache<string, Kept>;

  /** @param now milliseconds, monotonic */
  constructor(maxBytes: number, now: () => number) {
    this.#entries = new LRUCache({
      maxSize: maxBytes,
      maxEntrySize: Math.max(1, Math.floor(maxBytes / MOST_OF_ALL)),
      sizeCalculation: ({ body }) => body.byteLength + ENTRY_BYTES,
      // Asked when an entry is looked at: no timers.
      ttlResolution: 0,
      perf: { now },
    });
  }

  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  get entries(): number {
    return this.#entries.size;
  }

  get(key: string): Kept | undefined {
    return this.#entries.get(key);
  }

  /** One that is too large is not kept. */
  set(key: string, kept: Kept, ttlMs: number): void {
    this.#entries.set(key, kept, { ttl: Math.max(1, Math.ceil(ttlMs)) });
  }

  clear(): void {
    this.#entries.clear();
  }
}
