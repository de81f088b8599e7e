import type { Item, QueuedItem, Ride } from './types.js';

/** One item of a request on its way through the queue and the lanes. */
export interface Entry<P, R> extends QueuedItem {
  readonly payload: P;
  readonly request: Request<P, R>;
  /** Position in its request. */
  readonly index: number;
  dispatchedAt: number;
  /** How many lanes died while running it. */
  losses: number;
}

/**
 * One submit: the items it was split into, and the promise that settles once, when the last ride is in or the first
 * error comes.
 */
export class Request<P, R> {
  readonly entries: readonly Entry<P, R>[];
  readonly promise: Promise<Ride<R>[]>;
  /** Called once, on settling: cancels the deadline's timer. */
  onSettled: (() => void) | undefined;
  readonly #rides: Ride<R>[] = [];
  #missing: number;
  #settled = false;
  #resolve!: (rides: Ride<R>[]) => void;
  #reject!: (error: unknown) => void;

  constructor(
    items: readonly Item<P>[],
    readonly deadlineAt: number,
    readonly arrivedAt: number,
    nextSeq: () => number,
  ) {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#missing = items.length;
    this.entries = items.map(({ rows, length, compat, payload }, index) => ({
      seq: nextSeq(),
      rows,
      length,
      compat,
      payload,
      index,
      arrivedAt,
      deadlineAt,
      request: this,
      dispatchedAt: 0,
      losses: 0,
    }));
  }

  get settled(): boolean {
    return this.#settled;
  }

  deliver(index: number, ride: Ride<R>): void {
    if (this.#settled) return;
    this.#rides[index] = ride;
    this.#missing--;
    if (this.#missing === 0) this.finish();
  }

  finish(): void {
    this.#settle();
    this.#resolve(this.#rides);
  }

  fail(error: unknown): void {
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    this.#settled = true;
    this.onSettled?.();
  }
}
