import { hostname } from 'node:os';
import { ExportChunk } from './export-chunk.js';
import { exportFrame, spanJson } from './otlp-json.js';
import { OtlpPoster, type Outcome } from './otlp-post.js';
import type { SpanData, SpanSink } from './span.js';

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

/** Exports that wait, about two hundred spans each; what comes above is dropped. */
const MAX_CHUNKS = 16;
const EXPORT_DELAY_MS = 1000;
/** Of one export; where the collector was busy or could not be reached. */
const ATTEMPTS = 3;
const RETRY_MS = 1000;
/** A collector that is gone must not hold up a stop. */
const CLOSE_MS = 3000;
/** Between two lines that say the same. */
const FAULT_EVERY_MS = 60_000;
/** Clocks drift apart, and the wall's may be set: beyond this they are compared anew. */
const MAX_DRIFT_MS = 50;

/**
 * Sends spans by OTLP over HTTP (JSON), some hundred at a time, in the background. A collector that is slow or gone costs
 * spans, nothing else.
 */
export class OtlpSink implements SpanSink {
  readonly #poster: OtlpPoster;
  readonly #deps: OtlpSinkDeps;
  readonly #frame: { readonly head: string; readonly tail: string };
  /** Being filled. */
  #open: ExportChunk | undefined;
  readonly #full: ExportChunk[] = [];
  /** Was sent, and can be filled again: memory outside of the heap is dear to get. */
  #spare: ExportChunk | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The export under way. */
  #sending: Promise<void> | undefined;
  readonly #stop = new AbortController();
  #isClosed = false;
  #offsetMs: number;
  #faultAtMs = -Infinity;

  constructor(options: OtlpOptions, deps: OtlpSinkDeps) {
    this.#poster = new OtlpPoster(options.url, options.headers);
    this.#deps = deps;
    this.#offsetMs = deps.unixNow() - deps.now();
    const { serviceName, serviceVersion: version } = options;
    this.#frame = exportFrame(
      (write) => {
        write('service.name', serviceName);
        write('service.version', version);
        write('service.instance.id', `${hostname()}:${process.pid}`);
        write('telemetry.sdk.language', 'nodejs');
        write('telemetry.sdk.name', 'carpool');
        write('telemetry.sdk.version', version);
      },
      { name: 'carpool', version },
    );
  }

  add(span: SpanData): void {
    if (this.#isClosed || this.#full.length >= MAX_CHUNKS) {
      this.#deps.count('dropped', 1);
      return;
    }
    const { now, unixNow, count } = this.#deps;
    const offsetMs = unixNow() - now();
    if (Math.abs(offsetMs - this.#offsetMs) > MAX_DRIFT_MS) this.#offsetMs = offsetMs;
    const json = spanJson(span, this.#offsetMs);
    if (this.#open?.add(json) === true) return;
    this.#shut();
    this.#open = this.#spare ?? new ExportChunk(this.#frame);
    this.#spare = undefined;
    if (!this.#open.add(json)) count('dropped', 1);
    if (this.#full.length > 0) this.#send();
    else this.#sendSoon();
  }

  /** Sends what is left, within three seconds. Never rejects. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const limit = setTimeout(() => this.#stop.abort(), CLOSE_MS);
    this.#shut();
    while (this.#sending !== undefined || this.#full.length > 0) {
      this.#send();
      await this.#sending;
    }
    clearTimeout(limit);
    this.#poster.close();
  }

  #shut(): void {
    if (this.#open !== undefined && this.#open.spans > 0) this.#full.push(this.#open);
    this.#open = undefined;
  }

  #sendSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#shut();
      this.#send();
    }, EXPORT_DELAY_MS).unref();
  }

  /** One at a time: while the collector is slow, the rest waits. */
  #send(): void {
    if (this.#sending !== undefined) return;
    const chunk = this.#full.shift();
    if (chunk === undefined) return;
    this.#sending = this.#export(chunk).then(() => {
      this.#sending = undefined;
      if (this.#full.length > 0) this.#send();
      else if (this.#open !== undefined) this.#sendSoon();
    });
  }

  /** Never rejects. */
  async #export(chunk: ExportChunk): Promise<void> {
    const body = chunk.body();
    let outcome: Outcome = { ok: false, isRetryable: true, reason: 'closed before it was sent' };
    for (let attempt = 0; attempt < ATTEMPTS && !this.#stop.signal.aborted; attempt++) {
      if (attempt > 0) await this.#pause(RETRY_MS * 2 ** (attempt - 1));
      outcome = await this.#poster.post(body, this.#stop.signal);
      if (outcome.ok || !outcome.isRetryable) break;
    }
    this.#deps.count(outcome.ok ? 'exported' : 'failed', chunk.spans);
    if (!outcome.ok) this.#fault(outcome.reason);
    chunk.clear();
    this.#spare = chunk;
  }

  /** Cut short by a close. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#stop;
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms).unref();
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }

  #fault(reason: string): void {
    const now = this.#deps.now();
    if (now - this.#faultAtMs < FAULT_EVERY_MS) return;
    this.#faultAtMs = now;
    this.#deps.onFault(reason);
  }
}
