import type { QueuedItem } from './types.js';

/** Most items of one run of the list; halved when it overflows. */
const CHUNK = 256;

/**
 * Items waiting for a lane, sorted by (key, seq). A list of short sorted arrays: adding and removing anywhere cost the
 * same at 100,000 items as at 100, and the front is read in order.
 *
 * Invariants: chunks are never empty, and sorted within and among themselves; `rows` is the sum over the members.
 */
export class Queue<T extends QueuedItem> {
  readonly #chunks: T[][] = [];
  #rows = 0;
  #size = 0;

  get rows(): number {
    return this.#rows;
  }

  get size(): number {
    return this.#size;
  }

  get head(): T | undefined {
    return this.#chunks[0]?.[0];
  }

  add(item: T): void {
    this.#rows += item.rows;
    this.#size++;
    const at = Math.max(0, this.#chunkFor(item));
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([item]);
      return;
    }
    chunk.splice(positionOf(chunk, item), 0, item);
    if (chunk.length > CHUNK) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK / 2));
  }

  /** False where the item was not waiting (any more). */
  remove(item: T): boolean {
    const at = this.#chunkFor(item);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return false;
    const index = positionOf(chunk, item);
    if (chunk[index] !== item) return false;
    chunk.splice(index, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
    this.#rows -= item.rows;
    this.#size--;
    return true;
  }

  /** The first `limit` items. */
  window(limit: number): T[] {
    const window: T[] = [];
    for (const chunk of this.#chunks) {
      if (window.length >= limit) break;
      window.push(...chunk.slice(0, limit - window.length));
    }
    return window;
  }

  /** The last chunk whose first item does not come after `item`; -1 where all do. */
  #chunkFor(item: T): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const first = this.#chunks[middle]?.[0];
      if (first !== undefined && isBefore(item, first)) high = middle;
      else low = middle + 1;
    }
    return low - 1;
  }
}

const isBefore = (a: QueuedItem, b: QueuedItem): boolean =>
  a.key < b.key || (a.key === b.key && a.seq < b.seq);

/** Index of `item` in a sorted chunk, or where it would stand. */
const positionOf = (chunk: readonly QueuedItem[], item: QueuedItem): number => {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = chunk[middle];
    if (other !== undefined && isBefore(other, item)) low = middle + 1;
    else high = middle;
  }
  return low;
};
