import type { Group, QueuedItem, Ride } from './types.js';

/** One item on its way through the queue and a lane; several requests may ride on it (single flight). */
export interface Entry<P, R> extends QueuedItem {
  key: number;
  /** See Place. */
  start: number;
  bulk: boolean;
  /** The latest of its riders'. */
  deadlineAt: number;
  readonly payload: P;
  readonly identity: string | undefined;
  /** Lane time that it would take alone, as predicted on arrival. */
  readonly aloneMs: number;
  /** Who waits for it; without any it is dead. */
  riders: Rider<P, R>[];
  dispatchedAt: number;
  /** How many lanes were lost while running it. */
  losses: number;
  /** Those of the losses in which the run had hung. */
  hangs: number;
  /** Lanes that had died of whatever before the first of these. */
  lanesLostBefore: number;
}

export interface Rider<P, R> {
  readonly request: Request<P, R>;
  /** Position in its request. */
  readonly index: number;
}

/** Tells the requests that ride in it, those that want to know. */
export const announce = <P, R>(group: Group<Entry<P, R>>): void => {
  for (const { riders } of group.items) for (const { request } of riders) request.onRun?.(group);
};

/**
 * One submit: the entries that its items ride on, and the promise that settles once, when the last ride is in or the
 * first error comes.
 */
export class Request<P, R> {
  readonly entries: Entry<P, R>[] = [];
  readonly promise: Promise<Ride<R>[]>;
  /** Called once, on settling: cancels the deadline's timer. */
  onSettled: (() => void) | undefined;
  readonly #rides: Ride<R>[] = [];
  #missing: number;
  #settled = false;
  #resolve!: (rides: Ride<R>[]) => void;
  #reject!: (error: unknown) => void;

  constructor(
    items: number,
    readonly deadlineAt: number,
    readonly arrivedAt: number,
    /** Whom it is charged to, and who may come back after the answer. */
    readonly caller: string,
    /** Hears of every item's ride before the promise settles. */
    readonly onRide?: (index: number, ride: Ride<R>) => void,
    /** See SubmitOptions. */
    readonly onRun?: (group: Group) => void,
  ) {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#missing = items;
    if (items === 0) this.#finish();
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** @returns true with the last ride, which answers the request */
  deliver(index: number, ride: Ride<R>): boolean {
    if (this.#settled) return false;
    this.#rides[index] = ride;
    this.#missing--;
    this.onRide?.(index, ride);
    if (this.#missing > 0) return false;
    this.#finish();
    return true;
  }

  fail(error: unknown): void {
    this.#settle();
    this.#reject(error);
  }

  #finish(): void {
    this.#settle();
    this.#resolve(this.#rides);
  }

  #settle(): void {
    this.#settled = true;
    this.onSettled?.();
  }
}
