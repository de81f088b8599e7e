import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What came of a request's copy: see docs/versions.md. */
export type ShadowOutcome = 'same' | 'different' | 'failed' | 'dropped';

export interface VersionRow {
  readonly model: string;
  readonly version: string;
  /** `default`, `split`, `shadow`, or `loaded`: answers only who names it. */
  readonly role: string;
}

export interface VersionMetrics {
  /** `fn` is asked at every scrape. */
  bind(fn: () => Iterable<VersionRow>): void;
  /** A request of a model whose callers are split. */
  routed(model: string, version: string): void;
  /** @param difference the largest between the two answers; absent where there is none */
  shadowed(model: string, version: string, outcome: ShadowOutcome, difference?: number): void;
}

/** The smallest that matter to anybody up to a flipped probability. */
const DIFFERENCE_BUCKETS = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1];

/** Versions are labels nowhere else: they come and go. Those that have gone take their counts with them. */
export const createVersionMetrics = (registry: Registry): VersionMetrics => {
  const registers = [registry];
  let rows: () => Iterable<VersionRow> = () => [];
  const requests = new Counter({
    name: 'carpool_version_requests_total',
    help: 'Requests by the version that took them, while callers are split.',
    labelNames: ['model', 'version'],
    registers,
  });
  const copies = new Counter({
    name: 'carpool_shadow_requests_total',
    help: 'Copies of requests for the shadow version, by what came of them.',
    labelNames: ['model', 'version', 'outcome'],
    registers,
  });
  const difference = new Histogram({
    name: 'carpool_shadow_difference',
    help: 'Largest difference between an answer and its shadow, absolute below 1, relative above.',
    labelNames: ['model'],
    buckets: DIFFERENCE_BUCKETS,
    registers,
  });
  /** What undoes each series, by model and version. */
  const made = new Map<
    string,
    { readonly model: string; readonly version: string; readonly remove: () => void }
  >();
  new Gauge({
    name: 'carpool_model_version_info',
    help: 'Loaded versions and what each is for; always 1.',
    labelNames: ['model', 'version', 'role'],
    registers,
    collect() {
      this.reset();
      const live = [...rows()];
      for (const row of live) this.set({ ...row }, 1);
      for (const [key, { model, version, remove }] of made)
        if (!live.some((row) => row.model === model && row.version === version)) {
          remove();
          made.delete(key);
        }
    },
  });
  const note = (model: string, version: string, what: string, remove: () => void): void => {
    const key = `${model}\n${version}\n${what}`;
    if (!made.has(key)) made.set(key, { model, version, remove });
  };
  return {
    bind: (fn) => (rows = fn),
    routed: (model, version) => {
      requests.inc({ model, version });
      note(model, version, 'requests', () => requests.remove(model, version));
    },
    shadowed: (model, version, outcome, largest) => {
      copies.inc({ model, version, outcome });
      note(model, version, outcome, () => copies.remove(model, version, outcome));
      if (largest === undefined) return;
      difference.observe({ model }, largest);
      note(model, version, 'difference', () => difference.remove(model));
    },
  };
};
