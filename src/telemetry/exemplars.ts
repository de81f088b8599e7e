/** Series of a histogram of which exemplars are kept. */
const MAX_SERIES = 256;

interface Exemplar {
  readonly traceId: string;
  readonly seconds: number;
  readonly unixSeconds: number;
}

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly byBucket: Map<string, Exemplar>;
}

/**
 * The last traced request of every bucket of a histogram, so that a slow bucket leads to a trace. Kept beside
 * prom-client's own: those cost an object for every observation, traced or not, and live in registries of another kind.
 */
export class Exemplars {
  readonly #metric: string;
  readonly #bounds: readonly number[];
  readonly #unixNow: () => number;
  /** By identity of the labels: one object for each series. */
  readonly #series = new Map<Readonly<Record<string, string>>, Series>();

  /** @param bounds upper ones, ascending, in the unit of what is observed */
  constructor(metric: string, bounds: readonly number[], unixNow: () => number = Date.now) {
    this.#metric = metric;
    this.#bounds = bounds;
    this.#unixNow = unixNow;
  }

  /** @param labels always the same object for a series */
  note(labels: Readonly<Record<string, string>>, seconds: number, traceId: string): void {
    let series = this.#series.get(labels);
    if (series === undefined) {
      if (this.#series.size >= MAX_SERIES) return;
      this.#series.set(labels, (series = { labels, byBucket: new Map() }));
    }
    const bound = this.#bounds.find((upper) => seconds <= upper);
    const le = bound === undefined ? '+Inf' : `${bound}`;
    series.byBucket.set(le, { traceId, seconds, unixSeconds: this.#unixNow() / 1000 });
  }

  /** `name_bucket{le="0.005",…}` as prom-client prints it -> ` # {trace_id="…"} 0.0042 1700000000.123`. */
  byLine(): ReadonlyMap<string, string> {
    const lines = new Map<string, string>();
    for (const { labels, byBucket } of this.#series.values()) {
      const rest = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
      for (const [le, { traceId, seconds, unixSeconds }] of byBucket)
        lines.set(
          `${this.#metric}_bucket{${[`le="${le}"`, ...rest].join(',')}}`,
          ` # {trace_id="${traceId}"} ${seconds} ${unixSeconds.toFixed(3)}`,
        );
    }
    return lines;
  }
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
