import type { BatcherEvent } from '#batcher';
import type { RequestRecord } from '../access-log.js';
import { BatchSpans } from './batch-spans.js';
import { nameOf, writeAttributes } from './request-attributes.js';
import { RequestTrace } from './request-trace.js';
import type { SpanSink } from './span.js';
import { IdSource, isSampled, parseTraceparent, parseTracestate } from './trace-context.js';

export interface TracingDeps {
  /** Share of the traces begun here that are recorded, 0 to 1; the others follow their caller's decision. */
  readonly sampleRatio: number;
  readonly sink: SpanSink;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** Asked every few seconds, and of no interest. */
const PROBES = new Set([
  '/health',
  '/healthz',
  '/readyz',
  '/metrics',
  '/grpc.health.v1.Health/Check',
  '/inference.GRPCInferenceService/ServerLive',
  '/inference.GRPCInferenceService/ServerReady',
]);

/**
 * Traces of requests and batches:
 *
 *   traceparent ─▶ begin ─▶ RequestTrace ── onRun ─▶ batch span ◀── links ──▶ request span ─▶ sink
 *                    └─ ids for the answer and the log                         (made at the end)
 */
export class Tracing {
  readonly #deps: TracingDeps;
  readonly #ids = new IdSource();
  readonly #batches: BatchSpans;

  constructor(deps: TracingDeps) {
    this.#deps = deps;
    this.#batches = new BatchSpans({ sink: deps.sink, ids: this.#ids, now: deps.now });
  }

  /**
   * A request comes in; headers that are no Trace Context begin a new trace.
   * @param elapsedMs since its bytes came: its time begins there
   */
  begin(traceparent: unknown, tracestate: unknown, elapsedMs = 0): RequestTrace {
    const { sampleRatio, now } = this.#deps;
    const parent = parseTraceparent(traceparent);
    const traceId = parent?.traceId ?? this.#ids.traceId();
    return new RequestTrace({
      traceId,
      spanId: this.#ids.spanId(),
      sampled: parent?.sampled ?? isSampled(traceId, sampleRatio),
      parent,
      traceState: parent?.sampled === true ? parseTracestate(tracestate) : undefined,
      batches: this.#batches,
      now,
      elapsedMs,
    });
  }

  /** For every event of every model's batcher. */
  onBatcherEvent(model: string, event: BatcherEvent): void {
    this.#batches.note(model, event);
  }

  /** Its answer is out. */
  finished(request: RequestRecord): void {
    const { trace, bodyMs, route, status, code } = request;
    if (trace?.sampled !== true || (trace.parent === undefined && PROBES.has(route))) return;
    const { traceId, spanId, parent, traceState, startMs, events, links, droppedLinks } = trace;
    if (bodyMs !== undefined) events.unshift({ name: 'body read', atMs: startMs + bodyMs });
    this.#deps.sink.add({
      traceId,
      spanId,
      traceState,
      startMs,
      droppedLinks,
      parentSpanId: parent?.spanId,
      name: nameOf(request),
      kind: 'server',
      endMs: this.#deps.now(),
      failure: status >= 500 ? code : undefined,
      attributes: (write) => writeAttributes(request, trace.tokens, write),
      events,
      links,
    });
  }
}
