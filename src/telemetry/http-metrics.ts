import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { DURATION_BUCKETS_S } from './buckets.js';
import { Exemplars } from './exemplars.js';

export interface FinishedRequest {
  readonly method: string;
  /** The path's pattern, never the path: each value is a series. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
  /** Of a sampled trace: an exemplar. */
  readonly traceId?: string | undefined;
}

export interface HttpMetrics {
  started(): void;
  finished(request: FinishedRequest): void;
  /** Of `http_request_duration_seconds`. */
  readonly exemplars: Exemplars;
}

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly total: { inc(): void };
  readonly duration: { observe(seconds: number): void };
}

/** Everything else is `OTHER`: a client chooses the method, and a label must not grow with what clients choose. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export const createHttpMetrics = (registry: Registry): HttpMetrics => {
  const registers = [registry];
  const labelNames = ['method', 'route', 'status'] as const;
  const exemplars = new Exemplars('http_request_duration_seconds', DURATION_BUCKETS_S);
  let inFlight = 0;
  const total = new Counter({
    name: 'http_request_total',
    help: 'Requests answered. Status 499: the client went away first.',
    labelNames,
    registers,
  });
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'From the headers of a request to the last byte of its answer.',
    labelNames,
    buckets: DURATION_BUCKETS_S,
    registers,
  });
  new Gauge({
    name: 'http_request_in_flight',
    help: 'Requests begun and not yet answered.',
    registers,
    collect() {
      this.set(inFlight);
    },
  });

  // Resolving labels costs more than the update: each combination is resolved once.
  const byRoute = new Map<string, Map<string, Series>>();
  const seriesOf = (request: FinishedRequest): Series => {
    const method = METHODS.has(request.method) ? request.method : 'OTHER';
    const key = `${method} ${request.status}`;
    let ofRoute = byRoute.get(request.route);
    if (ofRoute === undefined) byRoute.set(request.route, (ofRoute = new Map<string, Series>()));
    let series = ofRoute.get(key);
    if (series === undefined) {
      const { route, status } = request;
      series = {
        labels: { method, route, status: `${status}` },
        total: total.labels(method, route, `${status}`),
        duration: duration.labels(method, route, `${status}`),
      };
      ofRoute.set(key, series);
    }
    return series;
  };

  return {
    started: () => {
      inFlight++;
    },
    finished: (request) => {
      inFlight--;
      const series = seriesOf(request);
      series.total.inc();
      series.duration.observe(request.seconds);
      if (request.traceId !== undefined) exemplars.note(series.labels, request.seconds, request.traceId);
    },
    exemplars,
  };
};
