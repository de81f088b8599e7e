/** The other end of a link. */
export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
}

export interface SpanEvent {
  readonly name: string;
  /** Of the gateway's clock. */
  readonly atMs: number;
}

/** Names are our own: nothing in them needs to be escaped in JSON. Undefined values are left out. */
export type WriteAttribute = (name: string, value: string | number | undefined) => void;

/** A span that is over: it is made when all is known of it, so that nothing is paid before. */
export interface SpanData extends SpanLink {
  readonly name: string;
  readonly kind: 'server' | 'internal';
  readonly parentSpanId?: string | undefined;
  readonly traceState?: string | undefined;
  /** Of the gateway's clock. */
  readonly startMs: number;
  readonly endMs: number;
  /** What went wrong, in a word; absent = nothing, or nothing that is the server's fault. */
  readonly failure?: string | undefined;
  /** Called once, at once: lists of attributes would cost more than to print them. */
  readonly attributes: (write: WriteAttribute) => void;
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
  /** Links that there was no room for. */
  readonly droppedLinks: number;
}

/** Takes spans that are over; never throws, never waits. */
export interface SpanSink {
  add(span: SpanData): void;
}

/** Most links of one span: OpenTelemetry's own limit. */
export const MAX_LINKS = 128;
