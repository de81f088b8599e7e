/** Bins a factor of 2^(1/4) apart: a quantile is right to 19 %, which is all that a reference length needs. */
const BINS_PER_OCTAVE = 4;
const BINS = 80;
/** What an observation still weighs after each later one: half after 700. */
const MEMORY = 0.999;
/** It is asked for several times a request, and hardly moves. */
const REFRESH_EVERY = 32;
/** With fewer observations than this every one counts. */
const FEW = 100;

/** Lengths seen lately, as a faded histogram. */
export class LengthStats {
  readonly #bins = new Float64Array(BINS);
  #total = 0;
  /** Observations weigh more and more instead of old ones less; scaled back before it overflows. */
  #weight = 1;
  /** The last quantile asked for, and how many observations it lags behind. */
  #known = { q: NaN, length: 0 };
  #unseen = 0;

  observe(length: number): void {
    const bin = binOf(length);
    this.#bins[bin] = (this.#bins[bin] ?? 0) + this.#weight;
    this.#total += this.#weight;
    this.#weight /= MEMORY;
    if (++this.#unseen === REFRESH_EVERY || this.#total < FEW * this.#weight) this.#known.q = NaN;
    if (this.#weight > 1e12) this.#rescale();
  }

  /** Upper edge of the bin that holds the quantile, a few observations late; `fallback` while nothing has been seen. */
  quantile(q: number, fallback: number): number {
    if (this.#total === 0) return fallback;
    if (this.#known.q !== q) {
      this.#known = { q, length: this.#find(q, fallback) };
      this.#unseen = 0;
    }
    return this.#known.length;
  }

  #find(q: number, fallback: number): number {
    let left = q * this.#total;
    for (let bin = 0; bin < BINS; bin++) {
      left -= this.#bins[bin] ?? 0;
      if (left <= 0) return 2 ** (bin / BINS_PER_OCTAVE);
    }
    return fallback;
  }

  #rescale(): void {
    for (let bin = 0; bin < BINS; bin++) this.#bins[bin] = (this.#bins[bin] ?? 0) / this.#weight;
    this.#total /= this.#weight;
    this.#weight = 1;
  }
}

const binOf = (length: number): number =>
  Math.min(BINS - 1, Math.max(0, Math.ceil(Math.log2(Math.max(1, length)) * BINS_PER_OCTAVE)));
