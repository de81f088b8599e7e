import type { BatcherEvent } from '#batcher';
import type { InferResult } from '../infer.js';

/** Something that happens again and again: how often, and for how long altogether. */
export interface Sum {
  readonly count: number;
  readonly ms: number;
}

/** Everything since the model was loaded. Each request counts once in `success` or `fail`. */
export interface Totals {
  /** Unix time of the last answer, milliseconds; 0 = none yet. */
  readonly lastAtMs: number;
  /** Rows answered. */
  readonly rows: number;
  /** Batches run. */
  readonly runs: number;
  /** Requests, from their arrival to the end of their last run. */
  readonly success: Sum;
  readonly fail: Sum;
  /** Of the successful ones: waiting, tokenising, the model, and what is left (body, parsing, messages). */
  readonly queue: Sum;
  readonly encode: Sum;
  readonly run: Sum;
  readonly rest: Sum;
  /** Requests that a response cache answered, and those of which it lacked a row; time beside tokenising and runs. */
  readonly cacheHit: Sum;
  readonly cacheMiss: Sum;
  /** By rows of a batch, ascending. */
  readonly batches: readonly BatchTotals[];
}

export interface BatchTotals {
  readonly rows: number;
  /** The model alone. */
  readonly run: Sum;
  /** What the lane was taken for beside: padding, messages. */
  readonly overhead: Sum;
}

class Meter implements Sum {
  count = 0;
  ms = 0;

  add(ms: number): void {
    this.count++;
    this.ms += ms;
  }
}

interface BatchMeters extends BatchTotals {
  readonly run: Meter;
  readonly overhead: Meter;
}

/** Counts the requests and runs of one loaded version of a model, whatever protocol they come by. */
export class InferenceStats {
  readonly #unixNow: () => number;
  readonly #success = new Meter();
  readonly #fail = new Meter();
  readonly #queue = new Meter();
  readonly #encode = new Meter();
  readonly #run = new Meter();
  readonly #rest = new Meter();
  readonly #cacheHit = new Meter();
  readonly #cacheMiss = new Meter();
  readonly #batches = new Map<number, BatchMeters>();
  #lastAtMs = 0;
  #rows = 0;
  #runs = 0;

  /** @param unixNow milliseconds since 1970 */
  constructor(unixNow: () => number = () => Date.now()) {
    this.#unixNow = unixNow;
  }

  /**
   * Counts one request when it settles, and passes its result or its error on.
   * @param elapsedMs time since the request arrived
   */
  async watch(rows: number, elapsedMs: () => number, answer: Promise<InferResult>): Promise<InferResult> {
    let result: InferResult;
    try {
      result = await answer;
    } catch (error) {
      this.#fail.add(elapsedMs());
      throw error;
    }
    const { queueMs, encodeMs, runMs } = result.timings;
    const totalMs = elapsedMs();
    this.#lastAtMs = this.#unixNow();
    this.#rows += rows;
    this.#success.add(totalMs);
    this.#queue.add(queueMs);
    this.#encode.add(encodeMs);
    this.#run.add(runMs);
    const restMs = Math.max(0, totalMs - queueMs - encodeMs - runMs);
    this.#rest.add(restMs);
    const cached = result.cache?.result;
    if (cached === 'hit') this.#cacheHit.add(restMs);
    else if (cached !== undefined && cached !== 'bypass') this.#cacheMiss.add(restMs);
    return result;
  }

  /** For the batcher's events: counts the runs. */
  note(event: BatcherEvent): void {
    if (event.type !== 'completed') return;
    this.#runs++;
    const { rows } = event.group;
    let batch = this.#batches.get(rows);
    if (batch === undefined)
      this.#batches.set(rows, (batch = { rows, run: new Meter(), overhead: new Meter() }));
    batch.run.add(event.runMs);
    batch.overhead.add(Math.max(0, event.laneMs - event.runMs));
  }

  totals(): Totals {
    return {
      lastAtMs: this.#lastAtMs,
      rows: this.#rows,
      runs: this.#runs,
      success: this.#success,
      fail: this.#fail,
      queue: this.#queue,
      encode: this.#encode,
      run: this.#run,
      rest: this.#rest,
      cacheHit: this.#cacheHit,
      cacheMiss: this.#cacheMiss,
      batches: [...this.#batches.values()].sort((a, b) => a.rows - b.rows),
    };
  }
}
