import { randomUUID } from 'node:crypto';
import type { QuotaState } from './limits/quotas.js';
import type { CacheUse } from './infer.js';
import { NOBODY, type Principal } from './access/principal.js';
import type { RequestRecord } from './telemetry/access-log.js';
import type { RequestObserver } from './telemetry/request-observer.js';
import type { RequestTrace } from './telemetry/tracing/request-trace.js';
import type { Tracing } from './telemetry/tracing/tracing.js';

export interface TrackedRequestDeps {
  readonly observer: RequestObserver;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Where traces are on. */
  readonly tracing?: Tracing | undefined;
  /** For how long a request that is read now has waited to be read, milliseconds. Default: not at all. */
  readonly unreadMs?: (connection?: object) => number;
}

/** As nginx has it: the client closed the connection before the answer was out. Only metrics and logs ever show it. */
export const STATUS_CLIENT_GONE = 499;

const REQUEST_ID = /^[\w.:-]{1,128}$/;

/**
 * One request and its answer, whatever it came by: its id, what is to be logged of it, and whether the client is still
 * there. Handlers fill in the stage times and `model`, `version`, `rows`, `batchRows`; the rest is filled in here.
 */
export abstract class TrackedRequest implements RequestRecord {
  readonly requestId: string;
  abstract readonly method: string;
  abstract readonly route: string;
  abstract readonly path: string;
  status = 0;
  ms = 0;
  code: string | undefined;
  model: string | undefined;
  version: string | undefined;
  rows: number | undefined;
  batchRows: number | undefined;
  bodyMs: number | undefined;
  encodeMs: number | undefined;
  queueMs: number | undefined;
  runMs: number | undefined;
  /** Where traces are on; set by whoever reads the headers. */
  trace: RequestTrace | undefined;
  /** What the caller has left of its quotas, where there are some. */
  quotas: readonly QuotaState[] | undefined;
  cache: CacheUse | undefined;
  /** Who calls and what they may do: set when the request is admitted, and nothing is allowed before. */
  principal: Principal = NOBODY;

  readonly #deps: TrackedRequestDeps;
  readonly #startedAtMs: number;
  #abort: AbortController | undefined;
  #goneFns: Set<() => void> | undefined;
  #overFns: (() => void)[] | undefined;
  #isOver = false;
  #isGone: boolean;

  /**
   * @param givenId the client's own; one that is not fit for logs and headers is replaced
   * @param isGone the client has gone already
   * @param connection what it came by
   */
  constructor(givenId: unknown, deps: TrackedRequestDeps, isGone = false, connection?: object) {
    this.requestId = typeof givenId === 'string' && REQUEST_ID.test(givenId) ? givenId : randomUUID();
    this.#deps = deps;
    this.#startedAtMs = deps.now() - (deps.unreadMs?.(connection) ?? 0);
    this.#isGone = isGone;
  }

  /** Where the request came from, without a port. */
  abstract get address(): string;

  /** Whom the work is charged to: the caller's name where it has one (`key:ci`), else its address. */
  get caller(): string {
    return this.principal.name ?? this.address;
  }

  /** The request's `Cache-Control`. */
  abstract get cacheControl(): string | undefined;

  /** Milliseconds since the request's headers arrived, as far as that is known: see http/turn-meter. */
  get elapsedMs(): number {
    return this.#deps.now() - this.#startedAtMs;
  }

  /** True once the client has gone away without its whole answer. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Fires when the client goes away before its answer is out. Costs about 5 µs with a listener; `onGone` far less. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#isGone) this.#abort.abort();
    return this.#abort.signal;
  }

  /** Calls `fn` once when the client goes away before its answer is out; at once if it has. @returns what cancels it */
  onGone(fn: () => void): () => void {
    if (this.#isGone) fn();
    if (this.#isOver) return () => undefined;
    const fns = (this.#goneFns ??= new Set());
    fns.add(fn);
    return () => void fns.delete(fn);
  }

  /** Calls `fn` once when the answer is out, or never will be; at once if that has been. */
  onOver(fn: () => void): void {
    if (this.#isOver) fn();
    else (this.#overFns ??= []).push(fn);
  }

  /** The answer is out, or never will be. Later calls do nothing. */
  finish(status: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.status = status;
    this.ms = this.elapsedMs;
    this.#deps.observer.finished(this);
    for (const fn of this.#overFns ?? []) fn();
  }

  /** The client went away first. */
  lose(): void {
    if (this.#isOver) return;
    this.#isGone = true;
    this.code ??= 'CLIENT_GONE';
    for (const fn of this.#goneFns ?? []) fn();
    this.#abort?.abort();
    this.finish(STATUS_CLIENT_GONE);
  }
}
