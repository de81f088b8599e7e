import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestRecord } from '../telemetry/access-log.js';
import type { RequestObserver } from '../telemetry/request-observer.js';
import type { ErrorShape } from './error-handler.js';

/** What the layers of one gateway share to open exchanges. */
export interface ExchangeDeps {
  readonly observer: RequestObserver;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Every answer of an inference carries `Server-Timing`. Default: those that ask with `X-Server-Timing: 1`. */
  readonly serverTiming?: boolean;
}

/** As nginx has it: the client closed the connection before the answer was out. Only metrics and logs ever show it. */
export const STATUS_CLIENT_GONE = 499;

const REQUEST_ID = /^[\w.:-]{1,128}$/;
const EXCHANGE = Symbol('carpool.exchange');

interface Tagged {
  [EXCHANGE]?: Exchange;
}

/**
 * One request and its answer: its id, what is to be logged of it, and whether the client is still there. Handlers fill
 * in the stage times and `model`, `rows`, `batchRows`; the rest is filled in here.
 */
export class Exchange implements RequestRecord {
  readonly requestId: string;
  readonly method: string;
  readonly route: string;
  status = 0;
  ms = 0;
  code: string | undefined;
  model: string | undefined;
  rows: number | undefined;
  batchRows: number | undefined;
  bodyMs: number | undefined;
  encodeMs: number | undefined;
  queueMs: number | undefined;
  runMs: number | undefined;
  /** In place of its route's, where several protocols share a path. */
  errorShape: ErrorShape | undefined;

  readonly #deps: ExchangeDeps;
  readonly #req: IncomingMessage & { readonly originalUrl?: string };
  readonly #startedAtMs: number;
  #abort: AbortController | undefined;
  #goneFns: Set<() => void> | undefined;
  #isOver = false;
  #isGone = false;

  /** Use `openExchange`. */
  constructor(req: IncomingMessage, route: string, deps: ExchangeDeps) {
    const given = req.headers['x-request-id'];
    this.requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    this.method = req.method ?? '';
    this.route = route;
    this.#req = req;
    this.#deps = deps;
    this.#startedAtMs = deps.now();
  }

  /** The path as sent, without its query. */
  get path(): string {
    const url = this.#req.originalUrl ?? this.#req.url ?? '';
    const query = url.indexOf('?');
    return query === -1 ? url : url.slice(0, query);
  }

  /** Whom the work is charged to: the address, until callers have names. */
  get caller(): string {
    return this.#req.socket.remoteAddress ?? '';
  }

  /** The server says it always, or this request asks for it. */
  get wantsServerTiming(): boolean {
    return this.#deps.serverTiming === true || this.#req.headers['x-server-timing'] === '1';
  }

  /** Milliseconds since the request's headers arrived. */
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

  /** The answer is out, or never will be. Later calls do nothing. */
  finish(status: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.status = status;
    this.ms = this.elapsedMs;
    this.#deps.observer.finished(this);
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

/** Starts the exchange of a request; from then on `findExchange(req)` finds it. */
export const openExchange = (
  req: IncomingMessage & Tagged,
  res: ServerResponse,
  route: string,
  deps: ExchangeDeps,
): Exchange => {
  const exchange = new Exchange(req, route, deps);
  req[EXCHANGE] = exchange;
  deps.observer.started();
  res.on('close', onClose);
  return exchange;
};

export const findExchange = (req: IncomingMessage & Tagged): Exchange | undefined => req[EXCHANGE];

/** `close` of the response comes after every answer and after every loss; `close` of the request tells nothing. */
function onClose(this: ServerResponse): void {
  const exchange = findExchange(this.req);
  if (this.writableFinished) exchange?.finish(this.statusCode);
  else exchange?.lose();
}
