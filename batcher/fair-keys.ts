/** Priority 0 is the default; 1 is the highest (Open Inference Protocol). */
const DEFAULT_PRIORITY = 0;
/** Where the default stands among 1, 2, 3, …: levels above go later, level 1 goes earlier. */
const DEFAULT_LEVEL = 2;

/** Where an item stands in line. */
export interface Place {
  /** Smaller goes first. */
  readonly key: number;
  /** The key without the priority: virtual time at which its caller's turn comes. */
  readonly start: number;
}

/**
 * Orders the queue: start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM'96). Every caller has a virtual clock that
 * advances by the cost of what it asked for; an item's key is its caller's clock, or the time now in service if that is
 * later. One caller alone gets the order of arrival; one that floods queues behind its own work and not in front of
 * others. A lower priority is a later key by a fixed number of milliseconds a level, so it ages and never starves.
 */
export class FairKeys {
  readonly #finish = new Map<string, number>();
  readonly #levelMs: () => number;
  /** Latest start of what was put into service, or a little later, see `served`. */
  #virtualNow = 0;

  /** @param levelMs how much later one level of priority goes; the model's SLO, say */
  constructor(levelMs: () => number) {
    this.#levelMs = levelMs;
  }

  /** The place of an item of this cost, which its caller is charged. */
  next(caller: string, costMs: number, priority = DEFAULT_PRIORITY): Place {
    const place = this.peek(caller, priority);
    this.#finish.set(caller, place.start + costMs);
    return place;
  }

  /** The place that an item would get; nobody is charged. */
  peek(caller: string, priority = DEFAULT_PRIORITY): Place {
    const start = Math.max(this.#virtualNow, this.#finish.get(caller) ?? 0);
    const levels = priority === DEFAULT_PRIORITY ? 0 : priority - DEFAULT_LEVEL;
    return { key: start + levels * this.#levelMs(), start };
  }

  /**
   * An item with this start is put into service. Not with this key: once an item of low priority was served, all who
   * come would stand behind it, so behind the others of low priority that wait.
   *
   * Where everybody asks just once, all starts are the same, and time would stand still, so that a low priority never
   * came up. Therefore it also advances as generalised processor sharing has it (Parekh and Gallager, 1993): by the cost
   * of what is served, shared out among all who wait.
   * @param waiting items that wait beside it, at least as many as callers
   */
  served({ start }: Pick<Place, 'start'>, costMs: number, waiting: number): void {
    this.#virtualNow = Math.max(this.#virtualNow + costMs / (waiting + 1), start);
    // Callers whose clock is behind are as good as new ones. Looking at all of them pays only now and then.
    if (this.#finish.size > this.#sweepAt) {
      for (const [caller, finish] of this.#finish)
        if (finish <= this.#virtualNow) this.#finish.delete(caller);
      this.#sweepAt = Math.max(FIRST_SWEEP, this.#finish.size * 2);
    }
  }

  #sweepAt = FIRST_SWEEP;
}

const FIRST_SWEEP = 256;
