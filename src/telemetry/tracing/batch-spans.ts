import { wasteOf, type BatcherEvent, type Group } from '#batcher';
import { MAX_LINKS, type SpanLink, type SpanSink } from './span.js';
import type { IdSource } from './trace-context.js';

type Dispatched = Extract<BatcherEvent, { type: 'dispatched' }>;
type Ended = Extract<BatcherEvent, { type: 'completed' | 'failed' }>;

/** A batch on its way. */
interface Running {
  readonly startMs: number;
  readonly waiting: number;
  readonly predictedMs: number;
  /** Requests of sampled traces; a batch without any gets no span. */
  readonly requests: Set<SpanLink>;
  droppedLinks: number;
  /** Given when the first one asks for it. */
  span: SpanLink | undefined;
}

export interface BatchSpansDeps {
  readonly sink: SpanSink;
  readonly ids: IdSource;
  readonly now: () => number;
}

/**
 * One span for every batch that a sampled request rides in, linked to those requests, as they are to it. It is the root
 * of a trace of its own: it has as many causes as riders.
 */
export class BatchSpans {
  readonly #deps: BatchSpansDeps;
  readonly #running = new WeakMap<Group, Running>();

  constructor(deps: BatchSpansDeps) {
    this.#deps = deps;
  }

  note(model: string, event: BatcherEvent): void {
    if (event.type === 'dispatched') this.#begin(event);
    else if (event.type === 'completed' || event.type === 'failed') this.#end(model, event);
  }

  /** A request rides in it. @returns the batch's span; undefined where none was begun */
  join(group: Group, request: SpanLink): SpanLink | undefined {
    const running = this.#running.get(group);
    if (running === undefined) return undefined;
    const { requests } = running;
    if (requests.size < MAX_LINKS) requests.add(request);
    else if (!requests.has(request)) running.droppedLinks++;
    const { ids } = this.#deps;
    return (running.span ??= { traceId: ids.traceId(), spanId: ids.spanId() });
  }

  #begin({ group, predictedMs, waiting }: Dispatched): void {
    const startMs = this.#deps.now();
    const known = { startMs, waiting, predictedMs };
    this.#running.set(group, { ...known, requests: new Set(), droppedLinks: 0, span: undefined });
  }

  #end(model: string, event: Ended): void {
    const running = this.#running.get(event.group);
    if (running?.span === undefined) return;
    const { span, startMs, waiting, predictedMs, requests, droppedLinks } = running;
    const { rows, tokens, paddedTokens, longest, reason } = event.group;
    const { sink, now } = this.#deps;
    sink.add({
      ...span,
      name: `batch ${model}`,
      kind: 'internal',
      startMs,
      endMs: now(),
      failure: event.type === 'failed' ? event.code : undefined,
      attributes: {
        'carpool.model': model,
        'carpool.batch.rows': rows,
        'carpool.batch.tokens': tokens,
        'carpool.batch.padded_tokens': paddedTokens,
        'carpool.batch.longest': longest,
        'carpool.batch.reason': reason,
        'carpool.batch.waiting': waiting,
        'carpool.batch.predicted_ms': predictedMs,
        ...endingOf(event),
      },
      events: [],
      links: [...requests],
      droppedLinks,
    });
  }
}

const endingOf = (event: Ended): Readonly<Record<string, number | string>> =>
  event.type === 'failed'
    ? { 'error.type': event.code }
    : {
        'carpool.batch.lane_ms': event.laneMs,
        'carpool.batch.run_ms': event.runMs,
        'carpool.batch.padding_ratio': wasteOf(event.unpaddedMs, event.laneMs),
      };
