import type { ExpectedReturns } from './types.js';

/** Bins a factor of 2^(1/3) apart from 1/64 ms on; what takes 64 ms or longer is no echo. */
const BINS_PER_OCTAVE = 3;
const FIRST_EDGE_MS = 1 / 64;
const BINS = 36;
const HORIZON_MS = FIRST_EDGE_MS * 2 ** (BINS / BINS_PER_OCTAVE);
/** What an observation still weighs after each later one: half after 70. */
const MEMORY = 0.99;
/** Observations before anything is expected of anybody. */
const ENOUGH = 16;
/** Times for which returns are foretold: what is left of the bound, and ever shorter, a factor of 1/sqrt(2) apart. */
const TIMES = 12;
/** Shorter holds are not worth a timer. */
const SHORTEST_MS = 0.01;

/** Answers given at one moment: the members of a batch are of one age, so that a batch costs as much as one. */
interface Cohort {
  readonly atMs: number;
  /** Who was answered; those that have come back stay in here until the cohort is old. */
  readonly callers: string[];
  /** Not back yet. */
  open: number;
}

/**
 * Who was just answered, and how soon such callers come back: the hazard of return times.
 *
 *   answered ──▶ cohort ──(same caller submits: came)──▶ time between them into the histogram
 *                   └──(64 ms pass)──▶ "did not come back" into the histogram
 *
 * An answer of age a returns within h with probability (S(a) - S(a + h)) / S(a), S = share of times longer than. A caller
 * with several answers out is taken to come back for the latest: the one that never will then grows old undisturbed.
 * An event costs O(1), a forecast O(bins + cohorts younger than 64 ms).
 */
export class Returns {
  /** By age, oldest first. */
  readonly #cohorts: Cohort[] = [];
  readonly #byCaller = new Map<string, Cohort[]>();
  /** Faded counts; the last bin is for those that did not come back. */
  readonly #bins = new Float64Array(BINS + 1);
  /** Share of times longer than each edge; the first is all. */
  readonly #longer = new Float64Array(BINS + 1);
  #weight = 1;
  #seen = 0;
  #isStale = true;

  answered(caller: string, now: number): void {
    this.#forget(now);
    let cohort = this.#cohorts.at(-1);
    if (cohort?.atMs !== now) this.#cohorts.push((cohort = { atMs: now, callers: [], open: 0 }));
    cohort.callers.push(caller);
    cohort.open++;
    const own = this.#byCaller.get(caller);
    if (own === undefined) this.#byCaller.set(caller, [cohort]);
    else own.push(cohort);
  }

  /** A caller submits: if it was answered lately, this is its return. */
  came(caller: string, now: number): void {
    this.#forget(now);
    const own = this.#byCaller.get(caller);
    const cohort = own?.pop();
    if (own === undefined || cohort === undefined) return;
    if (own.length === 0) this.#byCaller.delete(caller);
    cohort.open--;
    this.#observe(binOf(now - cohort.atMs));
  }

  /**
   * Requests expected to return within each of some times up to `mostMs`, longest first.
   * @returns nothing while too little is known, and where nobody is to return
   */
  expected(now: number, mostMs: number): ExpectedReturns[] {
    this.#forget(now);
    const out = this.#cohorts.filter(({ open }) => open > 0);
    if (this.#seen < ENOUGH || out.length === 0) return [];
    const forecast: ExpectedReturns[] = [];
    for (let i = 0, withinMs = mostMs; i < TIMES && withinMs >= SHORTEST_MS; i++, withinMs *= Math.SQRT1_2) {
      let requests = 0;
      for (const { atMs, open } of out) {
        const still = this.#longerThan(now - atMs);
        if (still > 0) requests += (open * (still - this.#longerThan(now - atMs + withinMs))) / still;
      }
      forecast.push({ withinMs, requests });
    }
    return forecast;
  }

  /** Answers that are too old: their callers have not come back. */
  #forget(now: number): void {
    for (;;) {
      const oldest = this.#cohorts[0];
      if (oldest === undefined || now - oldest.atMs < HORIZON_MS) return;
      this.#cohorts.shift();
      if (oldest.open === 0) continue;
      for (const caller of oldest.callers) {
        const own = this.#byCaller.get(caller);
        if (own?.[0] !== oldest) continue;
        own.shift();
        if (own.length === 0) this.#byCaller.delete(caller);
        this.#observe(BINS);
      }
    }
  }

  #observe(bin: number): void {
    this.#seen++;
    this.#bins[bin] = (this.#bins[bin] ?? 0) + this.#weight;
    this.#isStale = true;
    // Observations weigh more and more instead of old ones less; scaled back before it overflows.
    this.#weight /= MEMORY;
    if (this.#weight < 1e12) return;
    for (let i = 0; i <= BINS; i++) this.#bins[i] = (this.#bins[i] ?? 0) / this.#weight;
    this.#weight = 1;
  }

  /** Share of times longer than this; evenly spread within a bin. */
  #longerThan(ms: number): number {
    if (this.#isStale) this.#refresh();
    const bin = binOf(ms);
    const after = this.#longer[bin] ?? 0;
    if (bin === BINS) return after;
    const from = bin === 0 ? 0 : edgeMs(bin - 1);
    const before = bin === 0 ? 1 : (this.#longer[bin - 1] ?? 0);
    return before + ((after - before) * (ms - from)) / (edgeMs(bin) - from);
  }

  #refresh(): void {
    const total = this.#bins.reduce((sum, weight) => sum + weight, 0);
    let left = total;
    for (let bin = 0; bin < BINS; bin++) {
      left -= this.#bins[bin] ?? 0;
      this.#longer[bin] = total === 0 ? 1 : Math.max(0, left / total);
    }
    // Beyond the horizon nobody is waited for.
    this.#longer[BINS] = this.#longer[BINS - 1] ?? 1;
    this.#isStale = false;
  }
}

/** Upper edge of a bin. */
const edgeMs = (bin: number): number => FIRST_EDGE_MS * 2 ** ((bin + 1) / BINS_PER_OCTAVE);

/** The bin whose upper edge is the first at or above the time; BINS beyond all. */
const binOf = (ms: number): number => {
  if (ms <= FIRST_EDGE_MS) return 0;
  return Math.min(BINS, Math.max(0, Math.ceil(Math.log2(ms / FIRST_EDGE_MS) * BINS_PER_OCTAVE) - 1));
};
