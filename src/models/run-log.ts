import type { RunShape } from '#batcher';

/** What runs of one shape took. */
export interface TimedShape extends RunShape {
  /** Median of the lane time, milliseconds. */
  readonly p50Ms: number;
  readonly runs: number;
}

/** Every run of a measurement, by shape. */
export class RunLog {
  readonly #runs = new Map<string, { readonly shape: RunShape; readonly ms: number[] }>();

  add(shape: RunShape, ms: number): void {
    const key = `${shape.rows}x${shape.longest}`;
    const entry = this.#runs.get(key) ?? { shape, ms: [] };
    this.#runs.set(key, entry);
    entry.ms.push(ms);
  }

  /** Smallest first. */
  get shapes(): TimedShape[] {
    return [...this.#runs.values()]
      .map(({ shape, ms }) => ({ ...shape, p50Ms: median(ms), runs: ms.length }))
      .sort((a, b) => a.tokens - b.tokens || a.rows - b.rows);
  }
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
};
