/** Node's event loop as far as it is watched; replaced in tests. */
export interface LoopHost {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Milliseconds for which the loop has slept, since the start: waited for events when there were none. */
  sleptMs(): number;
  /** Calls `fn` once at the end of this turn, without keeping the process alive. @returns what cancels it */
  atTurnEnd(fn: () => void): () => void;
}

const nodeLoop: LoopHost = {
  now: () => performance.now(),
  sleptMs: () => performance.nodeTiming.idleTime,
  atTurnEnd: (fn) => {
    const immediate = setImmediate(fn).unref();
    return () => clearImmediate(immediate);
  },
};

/**
 * Estimates for how long a request's bytes lay unread before the event loop came to them: time that the caller waits and
 * nobody else counts. A turn of the loop asks the system which sockets have bytes, and reads them one by one:
 *
 *      asks        work of turn 1           asks       work of turn 2
 *   ────┼────────────────────────────────────┼──── read ── read ── read ──
 *       └──── bytes that are read in turn 2 ─┘
 *             came some time in here
 *
 * So where a turn finds bytes at once, they are taken to have come in the middle of that time; where it had to sleep for
 * them, at its awakening.
 *
 * New connections wait longer, since Node (libuv from 1.46) takes only one of them a turn. While turn after turn takes one
 * and none sleeps, more are waiting: one that is taken then, and with it its first request, is taken to have come in the
 * middle of that time.
 *
 * An unreferenced immediate looks at the clock once a turn: it neither keeps the loop awake nor
 * the process alive.
 */
export class TurnMeter {
  readonly #host: LoopHost;
  /** When the loop last asked, and when it went to ask again. */
  #askedAt: number;
  #endedAt: number;
  #sleptMs: number;
  #cancel: (() => void) | undefined;
  #hasTaken = false;
  /** Since when each turn has taken a connection, and none has slept. */
  #queueFrom: number | undefined;
  /** When connections came that had to wait, until their first request. */
  readonly #cameAt = new WeakMap<object, number>();

  constructor(host: LoopHost = nodeLoop) {
    this.#host = host;
    this.#askedAt = this.#endedAt = host.now();
    this.#sleptMs = host.sleptMs();
  }

  start(): void {
    this.#cancel ??= this.#host.atTurnEnd(this.#onTurnEnd);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** A connection is taken. */
  took(connection: object): void {
    if (this.#cancel === undefined) return;
    this.#hasTaken = true;
    if (this.#queueFrom !== undefined && this.#host.sleptMs() === this.#sleptMs)
      this.#cameAt.set(connection, (this.#queueFrom + this.#host.now()) / 2);
  }

  /**
   * Milliseconds for which what is read now is likely to have waited; 0 while it is stopped.
   * @param connection that it is read from; absent = one that has been there for long
   */
  readonly unreadMs = (connection?: object): number => {
    if (this.#cancel === undefined) return 0;
    const queuedAt = connection && this.#cameAt.get(connection);
    if (connection !== undefined && queuedAt !== undefined) {
      this.#cameAt.delete(connection);
      return this.#host.now() - queuedAt;
    }
    const sleptMs = this.#host.sleptMs() - this.#sleptMs;
    const cameAt = sleptMs > 0 ? this.#endedAt + sleptMs : (this.#askedAt + this.#endedAt) / 2;
    return Math.max(0, this.#host.now() - cameAt);
  };

  readonly #onTurnEnd = (): void => {
    const sleptMs = this.#host.sleptMs();
    if (this.#hasTaken && sleptMs === this.#sleptMs) this.#queueFrom ??= this.#endedAt;
    else this.#queueFrom = undefined;
    this.#hasTaken = false;
    this.#askedAt = this.#endedAt + (sleptMs - this.#sleptMs);
    this.#endedAt = this.#host.now();
    this.#sleptMs = sleptMs;
    this.#cancel = this.#host.atTurnEnd(this.#onTurnEnd);
  };
}
