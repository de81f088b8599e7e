import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { createClientAddress, type ClientAddress } from '../client-address.js';
import { rateLimitHeaders } from '../limits/headers.js';
import type { CutReason } from '../telemetry/connection-metrics.js';
import { TrackedRequest, type TrackedRequestDeps } from '../tracked-request.js';
import type { CorsHeaders } from './cors.js';
import type { ErrorShape } from './error-handler.js';
import { closeWithConnection } from './pipelined.js';
import { limitSending } from './send-limit.js';

/** What the layers of one gateway share to open exchanges. */
export interface ExchangeDeps extends TrackedRequestDeps {
  /** Every answer of an inference carries `Server-Timing`. Default: those that ask with `X-Server-Timing: 1`. */
  readonly serverTiming?: boolean;
  /** Of every answer, names in lower case; where the host's app has set one, that stays. */
  readonly headers?: OutgoingHttpHeaders;
  readonly cors?: CorsHeaders | undefined;
  /** Default: the address of the connection, whatever headers say. */
  readonly addressOf?: ClientAddress;
  /** Time for the client to read an answer. Default: for ever. */
  readonly sendTimeoutMs?: number;
  readonly onCut?: (reason: CutReason) => void;
}

const NOTHING = (): void => undefined;
const PEER_ONLY = createClientAddress(false);

const EXCHANGE = Symbol('carpool.exchange');

interface Tagged {
  [EXCHANGE]?: Exchange;
}

/** One request by HTTP. */
export class Exchange extends TrackedRequest {
  readonly method: string;
  readonly route: string;
  /** In place of its route's, where several protocols share a path. */
  errorShape: ErrorShape | undefined;
  readonly #deps: ExchangeDeps;
  readonly #req: IncomingMessage & { readonly originalUrl?: string };
  #address: string | undefined;

  /** Use `openExchange`. */
  constructor(req: IncomingMessage, route: string, deps: ExchangeDeps) {
    super(req.headers['x-request-id'], deps, false, req.socket);
    this.method = req.method ?? '';
    this.route = route;
    this.#req = req;
    this.#deps = deps;
    this.trace = deps.tracing?.begin(req.headers['traceparent'], req.headers['tracestate'], this.elapsedMs);
  }

  get protocol(): 'http' | 'https' {
    return 'encrypted' in this.#req.socket ? 'https' : 'http';
  }

  /** The path as sent, without its query. */
  get path(): string {
    const url = this.#req.originalUrl ?? this.#req.url ?? '';
    const query = url.indexOf('?');
    return query === -1 ? url : url.slice(0, query);
  }

  get address(): string {
    return (this.#address ??= this.#addressOf());
  }

  /** What every answer has: fresh, for the caller to add its own. */
  headersOf(res: ServerResponse): OutgoingHttpHeaders {
    const all: OutgoingHttpHeaders = { ...this.#deps.headers };
    // Mounted in an app that sets some itself.
    for (const name of res.getHeaderNames()) Reflect.deleteProperty(all, name);
    all['x-request-id'] = this.requestId;
    if (this.trace !== undefined) all['traceparent'] = this.trace.traceparent;
    if (this.quotas !== undefined) Object.assign(all, rateLimitHeaders(this.quotas));
    return all;
  }

  /** To be called when an answer, or a part of a stream, has been written. @returns what lifts the limit */
  limitSending(res: ServerResponse): () => void {
    const { sendTimeoutMs, onCut } = this.#deps;
    if (sendTimeoutMs === undefined) return NOTHING;
    return limitSending(res, sendTimeoutMs, () => {
      onCut?.('not_reading');
      // Now: to Node, an answer whose socket is destroyed is finished.
      this.lose();
    });
  }

  get cacheControl(): string | undefined {
    const { 'cache-control': cacheControl, pragma } = this.#req.headers;
    // What HTTP/1.0 had; RFC 9111, 5.4.
    return cacheControl ?? (pragma?.trim().toLowerCase() === 'no-cache' ? 'no-cache' : undefined);
  }

  /** The server says it always, or this request asks for it. */
  get wantsServerTiming(): boolean {
    return this.#deps.serverTiming === true || this.#req.headers['x-server-timing'] === '1';
  }

  #addressOf(): string {
    const { socket, headers } = this.#req;
    const forwarded = headers['x-forwarded-for'];
    // Node joins the lines of this header itself; its type does not know.
    const line = typeof forwarded === 'string' ? forwarded : forwarded?.join(',');
    return (this.#deps.addressOf ?? PEER_ONLY)(socket.remoteAddress ?? '', line);
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
  deps.cors?.(req, res);
  closeWithConnection(res);
  return exchange;
};

export const findExchange = (req: IncomingMessage & Tagged): Exchange | undefined => req[EXCHANGE];

/** `close` of the response comes after every answer and after every loss; `close` of the request tells nothing. */
function onClose(this: ServerResponse): void {
  const exchange = findExchange(this.req);
  // To Node, an answer that was ended is finished, though its socket broke under it.
  if (this.writableFinished && this.req.socket.errored === null) exchange?.finish(this.statusCode);
  else exchange?.lose();
}
