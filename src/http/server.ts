import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../telemetry/logger.js';
import type { RequestObserver } from '../telemetry/request-observer.js';
import { answerClientError } from './client-error.js';
import { Connections } from './connections.js';
import type { TurnMeter } from './turn-meter.js';
import { listenError } from './listen-error.js';

/** The part of `config.server` that concerns connections. */
export interface HttpServerOptions {
  /** Time for the headers of a request. */
  readonly headersTimeoutMs: number;
  /** Time for a body; see `readBody`. */
  readonly bodyTimeoutMs: number;
  /** How long an idle connection is kept for the client's next request. */
  readonly keepAliveTimeoutMs: number;
  /** Larger bodies are refused before an `Expect: 100-continue` is granted. */
  readonly bodyLimitBytes: number;
}

export interface HttpServer {
  /** @param port 0 = any free one. @throws Error with Node's `code` (EADDRINUSE, …) and a message that says what to do */
  listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }>;
  /** Accepts nothing new, lets open requests finish, resolves when the last connection is gone. */
  closeGracefully(): Promise<void>;
  /** Cuts every connection. Resolves when all are gone. */
  closeNow(): Promise<void>;
}

export interface HttpServerDeps {
  readonly observer: RequestObserver;
  readonly logger: Logger;
  /** Runs while the server listens. */
  readonly turns?: TurnMeter;
}

/** Node cuts a request off later than `readBody` would, so that the client gets the better message. */
const REQUEST_TIMEOUT_SLACK_MS = 5000;
/** How often Node looks for requests past their time. */
const MAX_CHECK_INTERVAL_MS = 1000;
/** Route label of what was no HTTP. */
const MALFORMED = 'malformed';

export const createHttpServer = (
  listener: RequestListener,
  options: HttpServerOptions,
  deps: HttpServerDeps,
): HttpServer => {
  const { headersTimeoutMs, bodyTimeoutMs, keepAliveTimeoutMs, bodyLimitBytes } = options;
  const server = createServer({
    headersTimeout: headersTimeoutMs,
    requestTimeout: headersTimeoutMs + bodyTimeoutMs + REQUEST_TIMEOUT_SLACK_MS,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(MAX_CHECK_INTERVAL_MS, headersTimeoutMs),
  });
  const connections = new Connections(server);
  server.on('connection', (socket) => deps.turns?.took(socket));
  const onRequest: RequestListener = (req, res) => {
    connections.begin(res);
    listener(req, res);
  };
  server.on('request', onRequest);
  server.on('checkContinue', (req, res) => {
    if (Number(req.headers['content-length'] ?? 0) <= bodyLimitBytes) res.writeContinue();
    onRequest(req, res);
  });
  answerMalformed(server, connections, deps.observer);
  server.on('error', (error) => {
    // Before it listens, `listen` tells; afterwards these are connections that could not be accepted.
    if (server.listening) deps.logger.error({ err: error }, 'http server');
  });

  let closed: Promise<void> | undefined;
  // Closing fails only when the server does not listen, which is where it should be.
  const close = (): Promise<void> =>
    (closed ??= new Promise((resolve) => {
      server.close(() => {
        deps.turns?.stop();
        resolve();
      });
    }));
  return {
    listen: async (host, port) => {
      const address = await listen(server, host, port);
      deps.turns?.start();
      return address;
    },
    closeGracefully: async () => {
      await connections.closeWhenIdle(close);
      return close();
    },
    closeNow: () => {
      const allGone = close();
      connections.closeNow();
      return allGone;
    },
  };
};

const listen = async (
  server: Server,
  host: string,
  port: number,
): Promise<{ host: string; port: number }> => {
  await new Promise<void>((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => reject(listenError(error, host, port));
    server.once('error', onError);
    server.listen({ host, port }, () => {
      server.off('error', onError);
      resolve();
    });
  });
  // A server that listens on a port has an address of this kind.
  const address = server.address() as AddressInfo;
  return { host: address.address, port: address.port };
};

const answerMalformed = (server: Server, connections: Connections, observer: RequestObserver): void => {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Told already: the parser complains again about every further chunk.
    if (socket.writableEnded) return;
    const open = connections.openOn(socket);
    if (error.code === 'ECONNRESET' || !socket.writable || open.some((res) => res.headersSent)) {
      socket.destroy();
      return;
    }
    const answered = answerClientError(error, socket);
    // A request that broke off in its body is counted by its own exchange.
    if (open.length > 0) return;
    observer.started();
    observer.finished({ ...NOTHING_KNOWN, ...answered });
  });
};

const NOTHING_KNOWN = {
  method: '',
  route: MALFORMED,
  path: '',
  ms: 0,
  model: undefined,
  rows: undefined,
  batchRows: undefined,
  bodyMs: undefined,
  encodeMs: undefined,
  queueMs: undefined,
  runMs: undefined,
};
