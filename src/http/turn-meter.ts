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
 * them, at its awakening. An unreferenced immediate looks at the clock once a turn: it neither keeps the loop awake nor
 * the process alive.
 */
export class TurnMeter {
  readonly #host: LoopHost;
  /** When the loop last asked, and when it went to ask again. */
  #askedAt: number;
  #endedAt: number;
  #sleptMs: number;
  #cancel: (() => void) | undefined;

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

  /** Milliseconds for which what is read now is likely to have waited; 0 while it is stopped. */
  readonly unreadMs = (): number => {
    if (this.#cancel === undefined) return 0;
    const sleptMs = this.#host.sleptMs() - this.#sleptMs;
    const cameAt = sleptMs > 0 ? this.#endedAt + sleptMs : (this.#askedAt + this.#endedAt) / 2;
    return Math.max(0, this.#host.now() - cameAt);
  };

  readonly #onTurnEnd = (): void => {
    const sleptMs = this.#host.sleptMs();
    this.#askedAt = this.#endedAt + (sleptMs - this.#sleptMs);
    this.#endedAt = this.#host.now();
    this.#sleptMs = sleptMs;
    this.#cancel = this.#host.atTurnEnd(this.#onTurnEnd);
  };
}
