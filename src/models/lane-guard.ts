import type { Clock } from '#batcher';
import type { LanesConfig } from '../config/schema.js';
import { CarpoolError, codeOf } from '../errors.js';
import { isHung } from '../executor/lane-hung.js';
import { Breaker, type BreakerOptions, type BreakerState, type Loss } from './breaker.js';
import { runLimitMs, RunWatch, type OverdueRun, type RunLimits } from './run-watch.js';

export interface GuardOptions {
  readonly limits: RunLimits;
  readonly breaker: BreakerOptions;
}

export const guardOptionsOf = (lanes: LanesConfig): GuardOptions => ({
  limits: {
    factor: lanes.runTimeoutFactor,
    minMs: lanes.runTimeoutMinMs,
    firstMs: lanes.runTimeoutFirstMs,
  },
  breaker: {
    losses: lanes.breakerLosses,
    windowMs: lanes.breakerWindowMs,
    pauseMs: lanes.breakerPauseMs,
  },
});

export const NO_GUARD: GuardOptions = {
  limits: { factor: 0, minMs: 0, firstMs: 0 },
  breaker: { losses: 0, windowMs: 0, pauseMs: 0 },
};

export interface GuardDeps extends GuardOptions {
  readonly clock: Clock;
  /** Lanes lost so far, by whatever. */
  readonly lanesLost: () => number;
  /** Would a lane that hangs now be replaced? */
  readonly sparesLanes: () => boolean;
  readonly onLost: (how: 'died' | 'hung') => void;
  /** The model is out of service: `refusal` is for all who wait. */
  readonly onOpen: (refusal: CarpoolError) => void;
  readonly onClose: () => void;
}

export interface RunForecast {
  readonly predictedMs: number;
  /** false: a guess from before anything was measured. */
  readonly isTrusted: boolean;
  /** It lost a lane before, or failed. */
  readonly isRepeated: boolean;
}

/** What one model does to its lanes: how long its runs may take, and whether it may go on. */
export class LaneGuard {
  readonly #name: string;
  readonly #deps: GuardDeps;
  readonly #breaker: Breaker;
  readonly #runs = new RunWatch();
  /** So it lost its last lane. */
  #hasHung = false;

  constructor(name: string, deps: GuardDeps) {
    this.#name = name;
    this.#deps = deps;
    this.#breaker = new Breaker(deps.breaker);
  }

  /** Is the model taken out of service, because it keeps losing lanes? */
  get circuit(): BreakerState {
    const state = this.#breaker.state(this.#deps.clock.now());
    // Were it tried and hung again, all models would have one lane less, for good.
    return state === 'half-open' && this.#hasHung && !this.#deps.sparesLanes() ? 'open' : state;
  }

  /** For requests that can't do without a run, before work is done for them. @throws as `admit` */
  requireHope(request: object): void {
    const waitMs = this.#waitMs(request);
    if (waitMs > 0) throw this.#refusal(waitMs);
  }

  /**
   * Asked for all that is to ride, right before it is queued.
   * @param request the same for all parts of one request
   * @returns to be called once when the ride is over, whatever became of it
   * @throws MODEL_UNAVAILABLE with the time to wait
   */
  admit(request: object): () => void {
    const over = this.circuit === 'open' ? undefined : this.#breaker.admit(this.#deps.clock.now(), request);
    if (over === undefined) throw this.#refusal(this.#waitMs(request));
    return over;
  }

  /** See RunWatch.overdue. */
  overdue(factor: number, minMs: number): OverdueRun | undefined {
    return this.#runs.overdue(this.#deps.clock.now(), factor, minMs);
  }

  /** @param run is given the time that it may take */
  async run<T>(
    { predictedMs, isTrusted, isRepeated }: RunForecast,
    run: (limitMs: number) => Promise<T>,
  ): Promise<T> {
    const limitMs = runLimitMs(predictedMs, isTrusted, this.#deps.limits);
    const startedAt = this.#deps.clock.now();
    const end = this.#runs.begin({ startedAt, predictedMs, limitMs });
    // Its request may end sooner, at its deadline: the next one would only lose another lane.
    const over = this.#breaker.hold();
    try {
      const result = await run(limitMs);
      this.#ran();
      return result;
    } catch (error) {
      if (codeOf(error) === 'WORKER_LOST')
        this.#lost(startedAt, isHung(error) ? 'hung' : isRepeated ? 'died again' : 'died');
      else this.#ran();
      throw error;
    } finally {
      end();
      over();
    }
  }

  #ran(): void {
    if (this.#breaker.ran(this.#deps.clock.now())) this.#deps.onClose();
  }

  #lost(startedAt: number, how: Loss): void {
    const { clock, lanesLost, onLost, onOpen } = this.#deps;
    const now = clock.now();
    this.#hasHung = how === 'hung';
    onLost(this.#hasHung ? 'hung' : 'died');
    if (this.#breaker.lost(startedAt, now, how, lanesLost())) onOpen(this.#refusal(this.#waitMs(this)));
  }

  #waitMs(request: object): number {
    const waitMs = this.#breaker.waitMs(this.#deps.clock.now(), request);
    return waitMs === 0 && this.circuit === 'open' ? this.#deps.breaker.pauseMs : waitMs;
  }

  #refusal(waitMs: number): CarpoolError {
    return new CarpoolError(
      'MODEL_UNAVAILABLE',
      `model '${this.#name}' keeps losing its lanes and is paused; try again in ${Math.ceil(waitMs)} ms`,
      { retryAfterSeconds: Math.ceil(waitMs / 1000) },
    );
  }
}
