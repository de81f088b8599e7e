import type { ServedModel } from '../../models/served-model.js';
import type { Sum, Totals } from '../../models/inference-stats.js';

/** How often, and for how long altogether. */
export interface Duration {
  readonly count: number;
  readonly ns: number;
}

export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  /** Milliseconds since 1970; 0 = none yet. */
  readonly last_inference: number;
  readonly inference_count: number;
  readonly execution_count: number;
  readonly inference_stats: Readonly<Record<StatName, Duration>>;
  readonly batch_stats: readonly (BatchDurations & { readonly batch_size: number })[];
}

type StatName =
  | 'success'
  | 'fail'
  | 'queue'
  | 'compute_input'
  | 'compute_infer'
  | 'compute_output'
  | 'cache_hit'
  | 'cache_miss';

interface BatchDurations {
  readonly compute_input: Duration;
  readonly compute_infer: Duration;
  readonly compute_output: Duration;
}

const duration = ({ count, ms }: Sum): Duration => ({ count, ns: Math.round(ms * 1e6) });

export const statisticsOf = ({ info, stats }: ServedModel): ModelStatistics =>
  printTotals(info.name, info.card.version, stats.totals());

const printTotals = (name: string, version: string, totals: Totals): ModelStatistics => ({
  name,
  version,
  last_inference: totals.lastAtMs,
  inference_count: totals.rows,
  execution_count: totals.runs,
  inference_stats: {
    success: duration(totals.success),
    fail: duration(totals.fail),
    queue: duration(totals.queue),
    compute_input: duration(totals.encode),
    compute_infer: duration(totals.run),
    compute_output: duration(totals.rest),
    cache_hit: duration(totals.cacheHit),
    cache_miss: duration(totals.cacheMiss),
  },
  batch_stats: totals.batches.map(({ rows, run, overhead }) => ({
    batch_size: rows,
    compute_input: duration(overhead),
    compute_infer: duration(run),
    compute_output: { count: run.count, ns: 0 },
  })),
});
