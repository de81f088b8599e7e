import { wasteOf } from '#batcher';
import { FATE, type Outcome } from './simulate.js';
import { BULK_CALLER, type SimRequest } from './traces.js';

/** What a play came to. Bulk requests count in waste, batch size and tokens, not in latencies and halves. */
export interface Report {
  readonly requests: number;
  readonly served: number;
  readonly refused: number;
  readonly late: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly requestsPerS: number;
  /** Tokens answered in time, a second. */
  readonly tokenGoodputPerS: number;
  /** Served share of the requests up to the median length, and of the longer ones. */
  readonly shortServed: number;
  readonly longServed: number;
  /** Share of the lane time that padding took; see `wasteOf`. */
  readonly waste: number;
  readonly meanBatch: number;
  /** Share of the lanes' time taken. */
  readonly utilisation: number;
}

export interface ReportOptions {
  readonly lanes: number;
  /** Requests at the start that only fill the queue. */
  readonly warmUp?: number;
  /** Answers that took longer are no goodput. Default: all count. */
  readonly sloMs?: number;
}

export const reportOn = (
  trace: readonly SimRequest[],
  outcome: Outcome,
  { lanes, warmUp = 0, sloMs = Infinity }: ReportOptions,
): Report => {
  const counted = trace.map((request, index) => ({ request, index })).slice(warmUp);
  const single = counted.filter(({ request }) => request.caller !== BULK_CALLER);
  const isServed = (index: number): boolean => outcome.fate[index] === FATE.served;
  const fates = (fate: number): number => counted.filter(({ index }) => outcome.fate[index] === fate).length;
  const latencies = Float64Array.from(
    single.filter(({ index }) => isServed(index)).map(({ index }) => outcome.latencyMs[index] ?? NaN),
  ).sort();
  const inTime = counted.filter(({ index }) => isServed(index) && (outcome.latencyMs[index] ?? NaN) <= sloMs);
  const spanMs = Math.max(1e-9, outcome.endMs - (warmUp === 0 ? 0 : (trace[warmUp]?.atMs ?? 0)));

  const median = quantile(Float64Array.from(single.map(({ request }) => tokensOf(request))).sort(), 0.5);
  const servedShare = (isIn: (tokens: number) => boolean): number => {
    const half = single.filter(({ request }) => isIn(tokensOf(request)));
    return half.filter(({ index }) => isServed(index)).length / Math.max(1, half.length);
  };
  return {
    requests: counted.length,
    served: fates(FATE.served),
    refused: fates(FATE.refused),
    late: fates(FATE.late),
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    requestsPerS: (inTime.length * 1000) / spanMs,
    tokenGoodputPerS: (inTime.reduce((sum, { request }) => sum + tokensOf(request), 0) * 1000) / spanMs,
    shortServed: servedShare((tokens) => tokens <= median),
    longServed: servedShare((tokens) => tokens > median),
    waste: wasteOf(outcome.unpaddedMs, outcome.busyMs),
    meanBatch: outcome.runs === 0 ? 0 : outcome.rows / outcome.runs,
    utilisation: outcome.busyMs / Math.max(1e-9, outcome.endMs * lanes),
  };
};

const tokensOf = ({ lengths }: SimRequest): number => lengths.reduce((sum, length) => sum + length, 0);

/** Of a sorted list; NaN of an empty one. */
const quantile = (sorted: Float64Array, q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
