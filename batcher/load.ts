import type { RunShape } from './cost.js';
import type { CostFit, CostModel } from './cost-model.js';
import { LengthStats } from './length-stats.js';
import type { Group } from './types.js';

/** `sloMs: auto` is so many lone runs of a reference item: room to wait for a run, run, and share it. */
const AUTO_SLO_RUNS = 10;
/** The reference item's length among those seen: admission must not know the length of who asks. */
const REFERENCE_QUANTILE = 0.95;
/** Time over which arrivals are averaged. */
const RATE_MS = 2_000;
const EFFICIENCY_GAIN = 0.05;
const MAX_UTILISATION = 0.95;
/** A batch that was held for longer than so many times its lane time tells of an accident, not of the load. */
const MOST_HELD = 4;

/** Times of one batch, milliseconds. */
export interface RunTimes {
  /** What its members would have taken alone, as predicted. */
  readonly aloneMs: number;
  readonly laneMs: number;
  /** From its dispatch until its results were here, whatever kept them. */
  readonly heldMs: number;
}

/** What is noted of an item that comes. */
export interface Arrival {
  readonly length: number;
  /** Lane time that it would take alone. */
  readonly aloneMs: number;
  readonly bulk: boolean;
}

/** What the batcher knows of its model's cost and of the work that comes: everything that plans and the door reckon with. */
export class Load {
  readonly #cost: CostModel;
  readonly #lengths = new LengthStats();
  readonly #slo: number | 'auto';
  readonly #usualLength: number;
  #lanes = 1;
  /** Lane time that arrivals have asked for, faded over RATE_MS. */
  #askedMs = 0;
  #askedAt = 0;
  #interactiveAt = -Infinity;
  /** Lane time that groups took, over what their members would have taken alone. */
  #efficiency = 1;
  /**
   * Time for which groups kept a lane, over the lane's own: above 1 where an event loop that is behind leaves results
   * lying, and the lane without work.
   */
  #held = 1;

  /** @param usualLength length that is expected before anything has come */
  constructor(cost: CostModel, sloMs: number | 'auto', usualLength = 1) {
    this.#cost = cost;
    this.#slo = sloMs;
    this.#usualLength = usualLength;
  }

  get fit(): CostFit {
    return this.#cost.fit;
  }

  get trusted(): boolean {
    return this.#cost.trusted;
  }

  /** Length at the 95th percentile of what came lately. */
  get referenceLength(): number {
    return this.#lengths.quantile(REFERENCE_QUANTILE, this.#usualLength);
  }

  get sloMs(): number {
    if (this.#slo !== 'auto') return this.#slo;
    return AUTO_SLO_RUNS * this.aloneMs(1, this.referenceLength);
  }

  aloneMs(rows: number, length: number): number {
    return this.predictMs({ rows, tokens: rows * length, longest: length });
  }

  predictMs(shape: RunShape): number {
    return this.#cost.predict(shape);
  }

  arrived(now: number, { length, aloneMs, bulk }: Arrival, lanes: number): void {
    if (!bulk) this.#interactiveAt = now;
    this.#lanes = Math.max(1, lanes);
    this.#askedMs = this.#faded(now) + aloneMs;
    this.#askedAt = now;
    this.#lengths.observe(length);
  }

  /** Nothing interactive has come for some seconds. */
  isQuiet(now: number): boolean {
    return now - this.#interactiveAt > RATE_MS;
  }

  /** Part of the lanes' time that arrivals ask for. */
  utilisation(now: number): number {
    const perMs = (this.#faded(now) * this.#efficiency) / RATE_MS / this.#lanes;
    return Math.min(MAX_UTILISATION, perMs);
  }

  ran(group: Group, { aloneMs, laneMs, heldMs }: RunTimes): void {
    this.#cost.observe(group, laneMs);
    if (laneMs > 0) {
      const held = Math.min(MOST_HELD, Math.max(1, heldMs / laneMs));
      this.#held += EFFICIENCY_GAIN * (held - this.#held);
    }
    if (aloneMs > 0) this.#efficiency += EFFICIENCY_GAIN * (Math.min(2, laneMs / aloneMs) - this.#efficiency);
  }

  /** When queued work of so much lane time (each item alone) will be done, from now. */
  drainMs(queuedAloneMs: number): number {
    return this.answerMs(queuedAloneMs * this.#efficiency) / this.#lanes;
  }

  /** When a run of so much lane time is answered, from its dispatch. */
  answerMs(laneMs: number): number {
    return laneMs * this.#held;
  }

  #faded(now: number): number {
    return this.#askedMs * Math.exp(-(now - this.#askedAt) / RATE_MS);
  }
}
