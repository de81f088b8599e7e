export interface BreakerOptions {
  /** Lanes lost to repeated runs within the window that open it; a hang counts twice. 0 = never. */
  readonly losses: number;
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
  readonly at: number;
  readonly weight: number;
  /** Lanes lost by anybody, this one not counted. */
  readonly lostBefore: number;
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
 * Pure: the time is passed in. Milliseconds of one monotonic clock.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #losses: Lost[] = [];
  #openUntil: number | undefined;
  #pauses = 1;
  /** When the probe was let in; one that never comes back is given a pause. */
  #probeAt: number | undefined;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  state(now: number): BreakerState {
    if (this.#openUntil === undefined) return 'closed';
    return now < this.#openUntil ? 'open' : 'half-open';
  }

  /** Asks for one request. @returns 0 = go on; else the milliseconds after which to ask again */
  admit(now: number): number {
    if (this.#openUntil === undefined) return 0;
    if (now < this.#openUntil) return this.#openUntil - now;
    const { pauseMs } = this.#options;
    if (this.#probeAt !== undefined && now < this.#probeAt + pauseMs) return this.#probeAt + pauseMs - now;
    this.#probeAt = now;
    return 0;
  }

  /** A run of the model has ended with an answer, or with an error of its own. @returns whether that closed it */
  ran(now: number): boolean {
    if (this.state(now) !== 'half-open') return false;
    this.#openUntil = this.#probeAt = undefined;
    this.#pauses = 1;
    this.#losses = [];
    return true;
  }

  /**
   * A run of the model has lost its lane.
   * @param allLost lanes lost so far by anybody, this one included
   * @returns whether that opened it
   */
  lost(now: number, how: Loss, allLost: number): boolean {
    const { losses, windowMs } = this.#options;
    if (losses === 0) return false;
    if (this.state(now) === 'half-open') {
      this.#pauses = Math.min(LONGEST_PAUSES, this.#pauses * 2);
      return this.#open(now);
    }
    if (this.#openUntil !== undefined) return false;
    this.#losses = this.#losses.filter(({ at }) => at > now - windowMs);
    this.#losses.push({ at: now, weight: WEIGHTS[how], lostBefore: allLost - 1 });
    const weight = this.#losses.reduce((sum, loss) => sum + loss.weight, 0);
    const among = allLost - (this.#losses[0]?.lostBefore ?? 0);
    if (weight < losses || this.#losses.length < LEAST_SHARE * among) return false;
    return this.#open(now);
  }

  #open(now: number): true {
    this.#openUntil = now + this.#pauses * this.#options.pauseMs;
    this.#probeAt = undefined;
    return true;
  }
}
