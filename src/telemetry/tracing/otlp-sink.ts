import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { messageOf } from '../../errors.js';
import type { SpanData, SpanSink } from './span.js';
import { loadReadable, type ToReadable } from './readable-span.js';

export interface OtlpOptions {
  /** `http://collector:4318/v1/traces` */
  readonly url: string;
  readonly serviceName: string;
  readonly serviceVersion: string;
  /** Sent with every export: credentials, mostly. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface OtlpSinkDeps {
  /** Milliseconds, monotonic; and of 1970, at the same moment. */
  readonly now: () => number;
  readonly unixNow: () => number;
  readonly count: (result: 'exported' | 'failed' | 'dropped', spans: number) => void;
  readonly onFault: (message: string) => void;
}

/** Spans that wait for their export, the ones on their way included; what comes above is dropped. */
const MAX_PENDING = 4096;
/** Printing that many takes about a millisecond of the event loop. */
const EXPORT_BATCH = 128;
const EXPORT_DELAY_MS = 1000;
const EXPORT_TIMEOUT_MS = 5000;
/** A collector that is gone must not hold up a stop. */
const CLOSE_MS = 3000;
/** Between two lines that say the same. */
const FAULT_EVERY_MS = 60_000;

/**
 * Sends spans by OTLP over HTTP (JSON), some at a time, in the background. OpenTelemetry's libraries are loaded by
 * `open`, so that they cost nothing where no collector is configured. A collector that is slow or gone costs spans,
 * nothing else.
 */
export class OtlpSink implements SpanSink {
  readonly #options: OtlpOptions;
  readonly #deps: OtlpSinkDeps;
  #processor: SpanProcessor | undefined;
  #toReadable: ToReadable | undefined;
  #pending = 0;
  #isClosed = false;
  #faultAtMs = -Infinity;

  constructor(options: OtlpOptions, deps: OtlpSinkDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  async open(): Promise<void> {
    const [{ BatchSpanProcessor }, { OTLPTraceExporter }] = await Promise.all([
      import('@opentelemetry/sdk-trace-base'),
      import('@opentelemetry/exporter-trace-otlp-http'),
    ]);
    const { url, headers } = this.#options;
    const exporter = new OTLPTraceExporter({
      url,
      headers: { ...headers },
      timeoutMillis: EXPORT_TIMEOUT_MS,
      concurrencyLimit: MAX_PENDING / EXPORT_BATCH,
    });
    this.#toReadable = await loadReadable(this.#options, this.#deps);
    this.#processor = new BatchSpanProcessor(this.#counted(exporter), {
      maxQueueSize: MAX_PENDING,
      maxExportBatchSize: EXPORT_BATCH,
      scheduledDelayMillis: EXPORT_DELAY_MS,
      exportTimeoutMillis: EXPORT_TIMEOUT_MS,
    });
  }

  add(span: SpanData): void {
    if (this.#processor === undefined || this.#toReadable === undefined || this.#isClosed || this.#isFull) {
      this.#deps.count('dropped', 1);
      return;
    }
    this.#pending++;
    this.#processor.onEnd(this.#toReadable(span));
  }

  /** Sends what is left, within three seconds. Never rejects. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_MS)));
    await Promise.race([this.#processor?.shutdown().catch(() => undefined), late]);
    clearTimeout(timer);
  }

  get #isFull(): boolean {
    return this.#pending >= MAX_PENDING;
  }

  #counted(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans: ReadableSpan[], done) =>
        exporter.export(spans, (result) => {
          this.#pending -= spans.length;
          // 0 is ExportResultCode.SUCCESS.
          const failed = result.code.valueOf() !== 0;
          this.#deps.count(failed ? 'failed' : 'exported', spans.length);
          if (failed) this.#fault(result.error);
          done(result);
        }),
      shutdown: () => exporter.shutdown(),
    };
  }

  #fault(error: Error | undefined): void {
    const now = this.#deps.now();
    if (now - this.#faultAtMs < FAULT_EVERY_MS) return;
    this.#faultAtMs = now;
    this.#deps.onFault(error === undefined ? 'export failed' : messageOf(error));
  }
}
