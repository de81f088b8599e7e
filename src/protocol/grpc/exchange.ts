import { randomUUID } from 'node:crypto';
import type { Deadline, Metadata } from '@grpc/grpc-js';
import { CarpoolError } from '../../errors.js';
import { STATUS_CLIENT_GONE } from '../../http/exchange.js';
import type { PipelineContext } from '../../pipeline.js';
import type { RequestRecord } from '../../telemetry/access-log.js';
import type { RequestObserver } from '../../telemetry/request-observer.js';

/** What exchanges of one gateway share. */
export interface GrpcExchangeDeps {
  readonly observer: RequestObserver;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Milliseconds since 1970: what deadlines of gRPC count in. */
  readonly unixNow: () => number;
}

/** What a call and a stream have in common. */
export interface GrpcCall {
  readonly cancelled: boolean;
  readonly metadata: Metadata;
  getPath(): string;
  getPeer(): string;
  getDeadline(): Deadline;
}

const REQUEST_ID = /^[\w.:-]{1,128}$/;
const OK = 200;

/**
 * One request by gRPC: a call, or one message of a stream. As `http/exchange` is for HTTP; metrics and access lines show
 * the HTTP status of its error, and 499 where the client cancelled.
 */
export class GrpcExchange implements RequestRecord, PipelineContext {
  readonly requestId: string;
  readonly method = 'POST';
  readonly route: string;
  readonly path: string;
  readonly caller: string;
  status = 0;
  ms = 0;
  code: string | undefined;
  model: string | undefined;
  rows: number | undefined;
  batchRows: number | undefined;
  readonly bodyMs = undefined;
  encodeMs: number | undefined;
  queueMs: number | undefined;
  runMs: number | undefined;
  readonly #deps: GrpcExchangeDeps;
  readonly #deadlineAt: number;
  readonly #startedAtMs: number;
  readonly #goneFns = new Set<() => void>();
  #abort: AbortController | undefined;
  #isGone: boolean;
  #isOver = false;

  /** Whoever makes it calls `lose` when the call is cancelled. */
  constructor(call: GrpcCall, deps: GrpcExchangeDeps) {
    const [given] = call.metadata.get('x-request-id');
    this.requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    this.route = call.getPath();
    this.path = this.route;
    // `127.0.0.1:50000`, `[::1]:50000`: a caller is an address, whatever its port.
    this.caller = call.getPeer().replace(/:\d+$/, '');
    this.#deps = deps;
    this.#deadlineAt = Number(call.getDeadline());
    this.#startedAtMs = deps.now();
    this.#isGone = call.cancelled;
    deps.observer.started();
  }

  get elapsedMs(): number {
    return this.#deps.now() - this.#startedAtMs;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#isGone) this.#abort.abort();
    return this.#abort.signal;
  }

  /** Milliseconds from its arrival to the call's deadline; undefined = it has none. @throws DEADLINE_EXCEEDED */
  timeoutMs(): number | undefined {
    if (!Number.isFinite(this.#deadlineAt)) return undefined;
    const leftMs = this.#deadlineAt - this.#deps.unixNow();
    if (leftMs <= 0)
      throw new CarpoolError('DEADLINE_EXCEEDED', 'the deadline had passed when the call arrived');
    return leftMs + this.elapsedMs;
  }

  onGone(fn: () => void): () => void {
    if (this.#isGone) fn();
    if (this.#isOver) return () => undefined;
    this.#goneFns.add(fn);
    return () => void this.#goneFns.delete(fn);
  }

  /** The answer is out. Later calls do nothing. */
  finish(status = OK): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.status = status;
    this.ms = this.elapsedMs;
    this.#deps.observer.finished(this);
  }

  /** The call was cancelled, or its deadline passed. */
  lose(): void {
    if (this.#isOver) return;
    this.#isGone = true;
    this.code ??= 'CLIENT_GONE';
    for (const fn of this.#goneFns) fn();
    this.#abort?.abort();
    this.finish(STATUS_CLIENT_GONE);
  }
}
