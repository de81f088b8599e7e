import { Metadata, type Deadline } from '@grpc/grpc-js';
import type { ClientAddress } from '../../client-address.js';
import { CarpoolError } from '../../errors.js';
import { TrackedRequest, type TrackedRequestDeps } from '../../tracked-request.js';
import type { Callers } from './callers.js';
import { quotaTrailers } from './status.js';

/** What exchanges of one gateway share. */
export interface GrpcExchangeDeps extends TrackedRequestDeps {
  /** Milliseconds since 1970: what deadlines of gRPC count in. */
  readonly unixNow: () => number;
  readonly addressOf: ClientAddress;
  /** Takes a request from its caller's quotas. @throws RATE_LIMITED */
  readonly admit: ((exchange: TrackedRequest) => Promise<void>) | undefined;
  readonly callers: Callers;
}

/** What a call and a stream have in common. */
export interface GrpcCall {
  readonly cancelled: boolean;
  readonly metadata: Metadata;
  getPath(): string;
  getPeer(): string;
  getDeadline(): Deadline;
}

const OK = 200;

/**
 * One request by gRPC: a call, or one message of a stream. Metrics and access lines show the HTTP status of its error,
 * and 499 where the client cancelled or its deadline passed.
 */
export class GrpcExchange extends TrackedRequest {
  readonly method = 'POST';
  readonly protocol = 'grpc';
  readonly route: string;
  readonly path: string;
  readonly address: string;
  grpcStatus: number | undefined;
  readonly cacheControl: string | undefined;
  readonly #unixNow: () => number;
  readonly #deadlineAt: number;

  /** Whoever makes it calls `lose` when the call is cancelled. */
  constructor(call: GrpcCall, deps: GrpcExchangeDeps) {
    super(call.metadata.get('x-request-id')[0], deps, call.cancelled);
    this.route = call.getPath();
    this.path = this.route;
    this.principal = deps.callers.of(call.metadata);
    const forwarded = call.metadata.get('x-forwarded-for');
    // `127.0.0.1:50000`, `::1:50000`.
    const peer = call.getPeer().replace(/:\d+$/, '');
    this.address = deps.addressOf(peer, forwarded.length === 0 ? undefined : forwarded.join(','));
    this.cacheControl = call.metadata.get('cache-control').map(String).join(',');
    this.#unixNow = deps.unixNow;
    this.#deadlineAt = Number(call.getDeadline());
    const header = (name: string): unknown => call.metadata.get(name)[0];
    this.trace = deps.tracing?.begin(header('traceparent'), header('tracestate'), this.elapsedMs);
    deps.observer.started();
  }

  /** What goes with an answer; undefined = nothing. */
  get trailer(): Metadata | undefined {
    const quotas = quotaTrailers(this.quotas);
    if (this.trace === undefined) return quotas;
    const trailer = quotas ?? new Metadata();
    trailer.set('traceparent', this.trace.traceparent);
    return trailer;
  }

  /** Milliseconds from its arrival to the call's deadline; undefined = it has none. @throws DEADLINE_EXCEEDED */
  timeoutMs(): number | undefined {
    if (!Number.isFinite(this.#deadlineAt)) return undefined;
    const leftMs = this.#deadlineAt - this.#unixNow();
    if (leftMs <= 0)
      throw new CarpoolError('DEADLINE_EXCEEDED', 'the deadline had passed when the call arrived');
    return leftMs + this.elapsedMs;
  }

  /** The answer is out. Later calls do nothing. */
  override finish(status = OK): void {
    super.finish(status);
  }
}
