import type { AccessLog, RequestRecord } from './access-log.js';
import type { HttpMetrics } from './http-metrics.js';
import type { Tracing } from './tracing/tracing.js';

/** What the HTTP layer tells of each request, exactly once each. */
export interface RequestObserver {
  started(): void;
  finished(request: RequestRecord): void;
}

/** @param now milliseconds, monotonic */
export const createRequestObserver = (
  metrics: HttpMetrics,
  accessLog: AccessLog,
  now: () => number = () => performance.now(),
  tracing?: Tracing,
): RequestObserver => ({
  started: () => metrics.started(),
  finished: (request) => {
    const { method, route, status, ms, trace } = request;
    const traceId = trace?.sampled === true ? trace.traceId : undefined;
    metrics.finished({ method, route, status, seconds: ms / 1000, traceId });
    accessLog.record(request, now());
    tracing?.finished(request);
  },
});
