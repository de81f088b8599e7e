const FAILURES = 3;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Keeps a second store that is down or slow from costing every request its timeout:
 *
 *   closed ─ 3 failures in a row ─▶ open ─ 1 s, 2 s, … 30 s ─▶ one try ─ well ─▶ closed
 *                                    ▲                           └─ failed ─┘
 *
 * What was under way when it opened says nothing new when it fails, too.
 */
export class Breaker {
  #failures = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #closedFrom = -Infinity;
  /** When the first try since it opened began. */
  #triedAt = Infinity;
  #isOpen = false;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether to try. When open, at most one try each pause. @param now milliseconds, monotonic */
  allows(now: number): boolean {
    if (!this.#isOpen) return true;
    if (now < this.#closedFrom) return false;
    this.#closedFrom = now + this.#pauseMs;
    this.#triedAt = Math.min(this.#triedAt, now);
    return true;
  }

  /** @returns true when that closed it */
  succeeded(): boolean {
    const wasOpen = this.#isOpen;
    this.#failures = 0;
    this.#isOpen = false;
    this.#pauseMs = FIRST_PAUSE_MS;
    return wasOpen;
  }

  /** @param begunAt when it was allowed. @returns true when that opened it */
  failed(begunAt: number, now: number): boolean {
    this.#failures++;
    if (this.#isOpen) {
      if (begunAt < this.#triedAt) return false;
      this.#pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * this.#pauseMs);
      this.#closedFrom = now + this.#pauseMs;
      return false;
    }
    if (this.#failures < FAILURES) return false;
    this.#isOpen = true;
    this.#triedAt = Infinity;
    this.#closedFrom = now + this.#pauseMs;
    return true;
  }
}
