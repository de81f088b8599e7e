import type { IncomingMessage, ServerResponse } from 'node:http';
import { TrackedRequest, type TrackedRequestDeps } from '../tracked-request.js';
import type { ErrorShape } from './error-handler.js';
import { closeWithConnection } from './pipelined.js';

/** What the layers of one gateway share to open exchanges. */
export interface ExchangeDeps extends TrackedRequestDeps {
  /** Every answer of an inference carries `Server-Timing`. Default: those that ask with `X-Server-Timing: 1`. */
  readonly serverTiming?: boolean;
}

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

  /** Use `openExchange`. */
  constructor(req: IncomingMessage, route: string, deps: ExchangeDeps) {
    super(req.headers['x-request-id'], deps);
    this.method = req.method ?? '';
    this.route = route;
    this.#req = req;
    this.#deps = deps;
  }

  /** The path as sent, without its query. */
  get path(): string {
    const url = this.#req.originalUrl ?? this.#req.url ?? '';
    const query = url.indexOf('?');
    return query === -1 ? url : url.slice(0, query);
  }

  get caller(): string {
    return this.#req.socket.remoteAddress ?? '';
  }

  /** The server says it always, or this request asks for it. */
  get wantsServerTiming(): boolean {
    return this.#deps.serverTiming === true || this.#req.headers['x-server-timing'] === '1';
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
  closeWithConnection(res);
  return exchange;
};

export const findExchange = (req: IncomingMessage & Tagged): Exchange | undefined => req[EXCHANGE];

/** `close` of the response comes after every answer and after every loss; `close` of the request tells nothing. */
function onClose(this: ServerResponse): void {
  const exchange = findExchange(this.req);
  if (this.writableFinished) exchange?.finish(this.statusCode);
  else exchange?.lose();
}
