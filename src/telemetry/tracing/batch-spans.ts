import { wasteOf, type BatcherEvent, type Group } from '#batcher';
import { MAX_LINKS, type SpanLink, type SpanSink, type WriteAttribute } from './span.js';
import type { IdSource } from './trace-context.js';

type Dispatched = Extract<BatcherEvent, { type: 'dispatched' }>;
type Ended = Extract<BatcherEvent, { type: 'completed' | 'failed' }>;

/** A batch on its way; it has no ids before a sampled request rides in it. */
class RunningBatch implements SpanLink {
  traceId = '';
  spanId = '';
  readonly requests: SpanLink[] = [];
  droppedLinks = 0;

  constructor(
    readonly startMs: number,
    readonly waiting: number,
    readonly predictedMs: number,
  ) {}

  /** @returns false where it has joined before */
  join(request: SpanLink, ids: IdSource): boolean {
    const { requests } = this;
    if (requests.includes(request)) return false;
    if (requests.length >= MAX_LINKS) {
      this.droppedLinks++;
      return true;
    }
    if (requests.length === 0) {
      this.traceId = ids.traceId();
      this.spanId = ids.spanId();
    }
    requests.push(request);
    return true;
  }
}

/** What a batch knows of a request. */
export interface RequestLinks extends SpanLink {
  readonly links: readonly SpanLink[];
  linked(batch: SpanLink): void;
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
  readonly #running = new Map<Group, RunningBatch>();

  constructor(deps: BatchSpansDeps) {
    this.#deps = deps;
  }

  note(model: string, event: BatcherEvent): void {
    if (event.type === 'dispatched') this.#begin(event);
    else if (event.type === 'completed' || event.type === 'failed') this.#end(model, event);
  }

  /** A sampled request rides in it, as it is told at least once. */
  join(group: Group, request: RequestLinks): void {
    const batch = this.#running.get(group);
    if (batch === undefined || request.links.includes(batch) || !batch.join(request, this.#deps.ids)) return;
    request.linked(batch);
  }

  #begin({ group, predictedMs, waiting }: Dispatched): void {
    this.#running.set(group, new RunningBatch(this.#deps.now(), waiting, predictedMs));
  }

  #end(model: string, event: Ended): void {
    const batch = this.#running.get(event.group);
    this.#running.delete(event.group);
    if (batch === undefined || batch.requests.length === 0) return;
    const { traceId, spanId, startMs, waiting, predictedMs, requests, droppedLinks } = batch;
    const { rows, tokens, paddedTokens, longest, reason } = event.group;
    const { sink, now } = this.#deps;
    sink.add({
      traceId,
      spanId,
      startMs,
      droppedLinks,
      name: `batch ${model}`,
      kind: 'internal',
      endMs: now(),
      failure: event.type === 'failed' ? event.code : undefined,
      attributes: (write) => {
        write('carpool.model', model);
        write('carpool.batch.rows', rows);
        write('carpool.batch.tokens', tokens);
        write('carpool.batch.padded_tokens', paddedTokens);
        write('carpool.batch.longest', longest);
        write('carpool.batch.reason', reason);
        write('carpool.batch.waiting', waiting);
        write('carpool.batch.predicted_ms', predictedMs);
        writeEnding(event, write);
      },
      events: [],
      links: requests,
    });
  }
}

const writeEnding = (event: Ended, write: WriteAttribute): void => {
  if (event.type === 'failed') {
    write('error.type', event.code);
    return;
  }
  write('carpool.batch.lane_ms', event.laneMs);
  write('carpool.batch.run_ms', event.runMs);
  write('carpool.batch.padding_ratio', wasteOf(event.unpaddedMs, event.laneMs));
};
