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

/** A span that is over, as plain data: it is made when all is known of it, so that nothing is paid before. */
export interface SpanData extends SpanLink {
  readonly name: string;
  readonly kind: 'server' | 'internal';
  readonly parentSpanId?: string | undefined;
  /** As it came, checked when it is sent. */
  readonly traceState?: string | undefined;
  /** Of the gateway's clock. */
  readonly startMs: number;
  readonly endMs: number;
  /** What went wrong, in a word; absent = nothing, or nothing that is the server's fault. */
  readonly failure?: string | undefined;
  /** Undefined ones are left out. */
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
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
