import type { Group } from '#batcher';
import type { BatchSpans, RequestLinks } from './batch-spans.js';
import { MAX_LINKS, type SpanEvent, type SpanLink } from './span.js';
import { formatTraceparent, type TraceParent } from './trace-context.js';

/** A streamed request passes the stages again and again. */
const MAX_EVENTS = 32;

export interface RequestTraceParts extends TraceParent {
  readonly parent: TraceParent | undefined;
  readonly traceState: string | undefined;
  readonly batches: BatchSpans;
  readonly now: () => number;
  readonly elapsedMs: number;
}

/** One request's place in its trace: known from its first moment, so that the answer and the log can say it. */
export class RequestTrace implements TraceParent, RequestLinks {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
  /** The caller's span, where it sent one. */
  readonly parent: TraceParent | undefined;
  readonly traceState: string | undefined;
  readonly startMs: number;
  readonly events: SpanEvent[] = [];
  /** Batches that it rides in. */
  readonly links: SpanLink[] = [];
  droppedLinks = 0;
  /** Of its texts, special ones included. */
  tokens: number | undefined;
  /** For the batcher; undefined where nothing is recorded. */
  readonly onRun: ((group: Group) => void) | undefined;
  readonly #now: () => number;

  constructor({ traceId, spanId, sampled, parent, traceState, batches, now, elapsedMs }: RequestTraceParts) {
    this.traceId = traceId;
    this.spanId = spanId;
    this.sampled = sampled;
    this.parent = parent;
    this.traceState = traceState;
    this.#now = now;
    this.startMs = now() - elapsedMs;
    this.onRun = sampled ? (group) => batches.join(group, this) : undefined;
  }

  /** Header of the answer. */
  get traceparent(): string {
    return formatTraceparent(this);
  }

  /** A stage is over. */
  mark(name: string): void {
    if (this.sampled && this.events.length < MAX_EVENTS) this.events.push({ name, atMs: this.#now() });
  }

  linked(batch: SpanLink): void {
    if (this.links.length === 0) this.mark('dispatched');
    if (this.links.length < MAX_LINKS) this.links.push(batch);
    else this.droppedLinks++;
  }
}
