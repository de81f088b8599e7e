import { Counter, type Registry } from 'prom-client';

export interface TraceMetrics {
  /** `dropped`: more were waiting for the collector than are kept. */
  count(result: 'exported' | 'failed' | 'dropped', spans: number): void;
}

export const createTraceMetrics = (registry: Registry): TraceMetrics => {
  const spans = new Counter({
    name: 'carpool_trace_spans_total',
    help: 'Spans of sampled traces, by what became of them.',
    labelNames: ['result'],
    registers: [registry],
  });
  return { count: (result, count) => spans.inc({ result }, count) };
};
