import type { QueuedItem } from './types.js';

/**
 * Items waiting for a lane, in order of arrival. A Set keeps that order and removes from the middle in O(1),
 * which is what a vanished client needs.
 *
 * Invariant: `rows` is the sum of `rows` over the members.
 */
export class Queue<T extends QueuedItem> {
  readonly #items = new Set<T>();
  #rows = 0;

  get rows(): number {
    return this.#rows;
  }

  get size(): number {
    return this.#items.size;
  }

  get head(): T | undefined {
    return this.#items.values().next().value;
  }

  add(item: T): void {
    this.#items.add(item);
    this.#rows += item.rows;
  }

  /** False where the item was not waiting (any more). */
  remove(item: T): boolean {
    if (!this.#items.delete(item)) return false;
    this.#rows -= item.rows;
    return true;
  }

  /** The first `limit` items. */
  window(limit: number): T[] {
    const window: T[] = [];
    for (const item of this.#items) {
      if (window.length >= limit) break;
      window.push(item);
    }
    return window;
  }
}
