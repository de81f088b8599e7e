import type { Place } from './fair-keys.js';
import { groupOf } from './group.js';
import { Queue } from './queue.js';
import type { Entry } from './request.js';
import type { Group } from './types.js';

/**
 * Everything that waits: the queue, the groups that failed and run again, and who stands for which input.
 *
 *   retries   [a b] [c]            first, each as it is, never mixed with others
 *   queues    d e f g …            by key: interactive, and bulk apart, so that neither hides the other
 *
 * Single flight: an identity belongs to one entry from its admission until it is answered, fails for good, or has lost
 * its last rider; equal inputs that come meanwhile ride along.
 */
export class WaitingRoom<P, R> {
  readonly #interactive = new Queue<Entry<P, R>>();
  readonly #bulk = new Queue<Entry<P, R>>();
  readonly #retries: Entry<P, R>[][] = [];
  readonly #byIdentity = new Map<string, Entry<P, R>>();
  #queuedAloneMs = 0;

  /** Rows waiting, retries included. */
  get rows(): number {
    let rows = this.queuedRows;
    for (const group of this.#retries) for (const entry of group) if (isAlive(entry)) rows += entry.rows;
    return rows;
  }

  /** Items in the queue, retries not included. */
  get size(): number {
    return this.#interactive.size + this.#bulk.size;
  }

  get queuedRows(): number {
    return this.#interactive.rows + this.#bulk.rows;
  }

  get isEmpty(): boolean {
    return this.size === 0 && !this.#retries.some((group) => group.some(isAlive));
  }

  /** Lane time that the queue would take, each item alone. */
  get queuedAloneMs(): number {
    return this.#queuedAloneMs;
  }

  /** Arrival of the item that is next in line; undefined when nothing waits. */
  get oldestArrivalMs(): number | undefined {
    let oldest = Math.min(
      this.#interactive.head?.arrivedAt ?? Infinity,
      this.#bulk.head?.arrivedAt ?? Infinity,
    );
    for (const group of this.#retries)
      for (const entry of group) if (isAlive(entry)) oldest = Math.min(oldest, entry.arrivedAt);
    return oldest === Infinity ? undefined : oldest;
  }

  /** The entry that equal inputs ride on. */
  find(identity: string | undefined): Entry<P, R> | undefined {
    return identity === undefined ? undefined : this.#byIdentity.get(identity);
  }

  /** The first of each class, by key; bulk ones are few, so that they are promoted a few at a time. */
  window(interactive: number, bulk: number): Entry<P, R>[] {
    const window = this.#interactive.window(interactive);
    if (this.#bulk.size === 0) return window;
    return [...window, ...this.#bulk.window(bulk)].sort((a, b) => a.key - b.key || a.seq - b.seq);
  }

  /** All entries, of the queue and of the retries. */
  all(): Entry<P, R>[] {
    return [...this.window(Infinity, Infinity), ...this.#retries.flat()];
  }

  add(entry: Entry<P, R>): void {
    this.#queueOf(entry).add(entry);
    this.#queuedAloneMs += entry.aloneMs;
    if (entry.identity !== undefined) this.#byIdentity.set(entry.identity, entry);
  }

  /** Takes an entry out of the queue; its identity stays. False where it was not queued. */
  take(entry: Entry<P, R>): boolean {
    if (!this.#queueOf(entry).remove(entry)) return false;
    // Set back when it can be: sums of floats drift.
    this.#queuedAloneMs = this.size === 0 ? 0 : this.#queuedAloneMs - entry.aloneMs;
    return true;
  }

  /** An interactive rider has come to a bulk entry: it yields no longer. */
  promote(entry: Entry<P, R>): void {
    if (!entry.bulk) return;
    const queued = this.#bulk.remove(entry);
    entry.bulk = false;
    if (queued) this.#interactive.add(entry);
  }

  /** A rider has come that would stand further ahead: the entry moves to its place. */
  advance(entry: Entry<P, R>, { key, start }: Place): void {
    if (key >= entry.key) return;
    const queue = this.#queueOf(entry);
    const queued = queue.remove(entry);
    entry.key = key;
    entry.start = start;
    if (queued) queue.add(entry);
  }

  /** Nobody may ride along any more. */
  close(entry: Entry<P, R>): void {
    if (entry.identity !== undefined && this.#byIdentity.get(entry.identity) === entry)
      this.#byIdentity.delete(entry.identity);
  }

  #queueOf(entry: Entry<P, R>): Queue<Entry<P, R>> {
    return entry.bulk ? this.#bulk : this.#interactive;
  }

  retry(groups: readonly Entry<P, R>[][]): void {
    this.#retries.push(...groups);
  }

  /** The next group that failed before, without those who are gone. */
  nextRetry(): Group<Entry<P, R>> | undefined {
    for (;;) {
      const live = this.#retries.shift()?.filter(isAlive);
      if (live === undefined) return undefined;
      if (live.length > 0) return groupOf(live, 'retry');
    }
  }
}

/** Somebody waits for it. */
export const isAlive = (entry: { readonly riders: readonly unknown[] }): boolean => entry.riders.length > 0;
