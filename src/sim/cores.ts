import type { VirtualClock } from './virtual-clock.js';

interface Job {
  leftMs: number;
  readonly done: () => void;
}

/** Work left that is less than this is rounding. */
const NOTHING_MS = 1e-9;

/**
 * Cores that threads share: with more jobs than cores, all are slowed alike (egalitarian processor sharing), which is
 * what a fair scheduler does to threads over some milliseconds.
 */
export class Cores {
  readonly #clock: VirtualClock;
  readonly #cores: number;
  #jobs: Job[] = [];
  #sinceMs = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: VirtualClock, cores: number) {
    this.#clock = clock;
    this.#cores = cores;
  }

  /** Does so much work, in milliseconds of a core alone, then calls `done`. */
  run(ms: number, done: () => void): void {
    this.#advance();
    this.#jobs.push({ leftMs: ms, done });
    this.#arm();
  }

  get #speed(): number {
    return Math.min(1, this.#cores / this.#jobs.length);
  }

  #advance(): void {
    const now = this.#clock.now();
    const didMs = (now - this.#sinceMs) * this.#speed;
    this.#sinceMs = now;
    for (const job of this.#jobs) job.leftMs -= didMs;
  }

  #arm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#jobs.length === 0) return;
    const leastMs = Math.max(0, Math.min(...this.#jobs.map(({ leftMs }) => leftMs)));
    this.#cancel = this.#clock.callAt(this.#clock.now() + leastMs / this.#speed, () => this.#end());
  }

  #end(): void {
    this.#advance();
    const ended = this.#jobs.filter(({ leftMs }) => leftMs <= NOTHING_MS);
    this.#jobs = this.#jobs.filter(({ leftMs }) => leftMs > NOTHING_MS);
    this.#arm();
    for (const { done } of ended) done();
  }
}

/** One thread: a job after the other, in the order in which they were given. */
export class Thread {
  readonly #cores: Cores;
  readonly #waiting: Job[] = [];
  #isBusy = false;

  constructor(cores: Cores) {
    this.#cores = cores;
  }

  run(ms: number, done: () => void): void {
    this.#waiting.push({ leftMs: ms, done });
    if (!this.#isBusy) this.#next();
  }

  #next(): void {
    const job = this.#waiting.shift();
    this.#isBusy = job !== undefined;
    if (job === undefined) return;
    this.#cores.run(job.leftMs, () => {
      job.done();
      this.#next();
    });
  }
}
