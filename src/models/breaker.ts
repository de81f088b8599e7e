export interface BreakerOptions {
  /** Lanes lost to repeated runs within the window that open it; a hang counts twice. 0 = never. */
  readonly losses: number;
  /** The time that passes inside the runs that are lost does not count: a hang may take minutes. */
  readonly windowMs: number;
  /** For how long it is open the first time; twice as long each time that the probe fails. */
  readonly pauseMs: number;
}

export type BreakerState = 'closed' | 'open' | 'half-open';

/**
 * How a run has lost its lane. One that an outsider kills (the system's memory killer, say) is in the way of a run by
 * accident, and the run is repeated; that it dies of the repetition too is hardly one.
 */
export type Loss = 'died' | 'died again' | 'hung';

const WEIGHTS: Readonly<Record<Loss, number>> = { died: 0, 'died again': 1, hung: 2 };

/** It must have lost so large a part of all lanes that were lost: where lanes die without it too, it is a victim. */
const LEAST_SHARE = 0.8;
const LONGEST_PAUSES = 12;

interface Lost {
  /** See `#outsideMs`. */
  readonly atMs: number;
  readonly weight: number;
  /** Lanes lost by anybody, this one not counted. */
  readonly lostBefore: number;
}

/** The request that is let in while half-open. */
interface Probe {
  readonly request: object;
  readonly at: number;
  /** Its parts that wait or run. */
  holds: number;
}

/**
 * Takes a model out of service that keeps losing lanes, so that the others keep theirs:
 *
 *            `losses` in `windowMs`              the pause is over
 *   closed ───────────────────────────▶ open ─────────────────────▶ half-open: one request is let in
 *      ▲                                  ▲                               │
 *      │                                  └── its lane is lost too ───────┤ (the pause is doubled)
 *      └────────────────────────── it has run ────────────────────────────┘
 *
 * A request that was let in and ends without a run (refused, too late, its client gone) leaves its place to the next.
 * Pure: the time is passed in. Milliseconds of one monotonic clock.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #losses: Lost[] = [];
  /** Time up to the last loss that was spent outside of the runs that were lost. */
  #outsideMs = 0;
  #lastLossAt = -Infinity;
  #openUntil: number | undefined;
  #pauses = 1;
  #probe: Probe | undefined;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  state(now: number): BreakerState {
    if (this.#openUntil === undefined) return 'closed';
    return now < this.#openUntil ? 'open' : 'half-open';
  }

  /** @returns 0 where `admit` would let this request in; else the milliseconds after which to ask again */
  waitMs(now: number, request: object): number {
    if (this.#openUntil === undefined) return 0;
    if (now < this.#openUntil) return this.#openUntil - now;
    if (this.#probe === undefined || this.#probe.request === request) return 0;
    return Math.max(1, this.#probe.at + this.#options.pauseMs - now);
  }

  /**
   * Lets a request ride, or a part of one: where one request may, all of its parts may.
   * @returns to be called once when its ride is over; undefined where it must wait
   */
  admit(now: number, request: object): (() => void) | undefined {
    if (this.waitMs(now, request) > 0) return undefined;
    if (this.#openUntil !== undefined) this.#probe ??= { request, at: now, holds: 0 };
    return this.hold();
  }

  /** Keeps other requests waiting for the one that was let in, if one was. @returns what ends that, called once */
  hold(): () => void {
    const probe = this.#probe;
    if (probe === undefined) return () => undefined;
    probe.holds++;
    return () => {
      if (--probe.holds === 0 && this.#probe === probe) this.#probe = undefined;
    };
  }

  /** A run of the model has ended with an answer, or with an error of its own. @returns whether that closed it */
  ran(now: number): boolean {
    if (this.state(now) !== 'half-open') return false;
    this.#openUntil = this.#probe = undefined;
    this.#pauses = 1;
    this.#losses = [];
    return true;
  }

  /**
   * A run of the model has lost its lane.
   * @param startedAt when that run began
   * @param allLost lanes lost so far by anybody, this one included
   * @returns whether that opened it
   */
  lost(startedAt: number, now: number, how: Loss, allLost: number): boolean {
    const { losses, windowMs } = this.#options;
    if (losses === 0) return false;
    if (this.state(now) === 'half-open') {
      this.#pauses = Math.min(LONGEST_PAUSES, this.#pauses * 2);
      return this.#open(now);
    }
    if (this.#openUntil !== undefined) return false;
    if (this.#losses.length > 0) this.#outsideMs += Math.max(0, startedAt - this.#lastLossAt);
    this.#lastLossAt = now;
    const atMs = this.#outsideMs;
    this.#losses = this.#losses.filter((loss) => loss.atMs > atMs - windowMs);
    this.#losses.push({ atMs, weight: WEIGHTS[how], lostBefore: allLost - 1 });
    const weight = this.#losses.reduce((sum, loss) => sum + loss.weight, 0);
    const among = allLost - (this.#losses[0]?.lostBefore ?? 0);
    if (weight < losses || this.#losses.length < LEAST_SHARE * among) return false;
    return this.#open(now);
  }

  #open(now: number): true {
    this.#openUntil = now + this.#pauses * this.#options.pauseMs;
    this.#probe = undefined;
    return true;
  }
}
