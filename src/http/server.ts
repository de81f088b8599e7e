import { createServer, type OutgoingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ConnectionMetrics } from '../telemetry/connection-metrics.js';
import type { RequestObserver } from '../telemetry/request-observer.js';
import { answerClientError } from './client-error.js';
import { Connections } from './connections.js';
import { deferContinue } from './continue.js';
import type { TurnMeter } from './turn-meter.js';
import { listenError } from './listen-error.js';
import type { TlsFilesOptions } from './tls-files.js';
import { createTlsServer, type TlsServerDeps } from './tls-server.js';

/** The part of `config.server` that concerns connections. */
export interface HttpServerOptions {
  /** Time for the headers of a request. */
  readonly headersTimeoutMs: number;
  /** Time for a body; see `readBody`. */
  readonly bodyTimeoutMs: number;
  /** How long an idle connection is kept for the client's next request. */
  readonly keepAliveTimeoutMs: number;
  /** Larger bodies are refused before an `Expect: 100-continue` is granted; and it is only where the body is read. */
  readonly bodyLimitBytes: number;
  /** More are closed as soon as they come. */
  readonly maxConnections: number;
  readonly tls: TlsFilesOptions | false;
}

export interface HttpServer {
  /** @param port 0 = any free one. @throws Error with Node's `code` (EADDRINUSE, …) and a message that says what to do */
  listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }>;
  /** Accepts nothing new, lets open requests finish, resolves when the last connection is gone. */
  closeGracefully(): Promise<void>;
  /** Cuts every connection. Resolves when all are gone. */
  closeNow(): Promise<void>;
}

export interface HttpServerDeps extends TlsServerDeps {
  readonly observer: RequestObserver;
  readonly metrics?: ConnectionMetrics;
  /** Of answers to what is no HTTP. */
  readonly headers?: OutgoingHttpHeaders;
  /** Runs while the server listens. */
  readonly turns?: TurnMeter;
}

/** Node cuts a request off later than `readBody` would, so that the client gets the better message. */
const REQUEST_TIMEOUT_SLACK_MS = 5000;
/** How often Node looks for requests past their time. */
const MAX_CHECK_INTERVAL_MS = 1000;
/** A client that has died or vanished without a word is found out by TCP itself, after a minute or so. */
const TCP_KEEP_ALIVE_MS = 30_000;
/** Requests that a client may send on one connection ahead of their answers; HTTP clients hardly ever send a second. */
const MOST_PIPELINED = 256;
/** Route label of what was no HTTP. */
const MALFORMED = 'malformed';

export const createHttpServer = (
  listener: RequestListener,
  options: HttpServerOptions,
  deps: HttpServerDeps,
): HttpServer => {
  const { headersTimeoutMs, bodyTimeoutMs, keepAliveTimeoutMs, bodyLimitBytes } = options;
  const http = {
    headersTimeout: headersTimeoutMs,
    requestTimeout: headersTimeoutMs + bodyTimeoutMs + REQUEST_TIMEOUT_SLACK_MS,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(MAX_CHECK_INTERVAL_MS, headersTimeoutMs),
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
  };
  const { tls } = options;
  const server = tls === false ? createServer(http) : createTlsServer(http, tls, headersTimeoutMs, deps);
  server.maxConnections = options.maxConnections;
  server.on('drop', () => deps.metrics?.cut('max_connections'));
  const connections = new Connections(server, tls !== false);
  deps.metrics?.bind(() => connections.count);
  server.on('connection', (socket: Socket) => deps.turns?.took(socket));
  const onRequest: RequestListener = (req, res) => {
    if (connections.openOn(req.socket) < MOST_PIPELINED) {
      connections.begin(res);
      listener(req, res);
    } else if (!req.socket.destroyed) {
      deps.metrics?.cut('pipelining');
      req.socket.destroy();
    }
  };
  server.on('request', onRequest);
  server.on('checkContinue', (req, res) => {
    if (Number(req.headers['content-length'] ?? 0) <= bodyLimitBytes)
      deferContinue(req, () => res.writeContinue());
    onRequest(req, res);
  });
  answerMalformed(server, connections, deps);
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

const answerMalformed = (
  server: Server,
  connections: Connections,
  { observer, metrics, headers }: HttpServerDeps,
): void => {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!connections.has(socket)) {
      metrics?.cut('tls_handshake');
      socket.destroy();
      return;
    }
    // Told already: the parser complains again about every further chunk.
    if (socket.writableEnded) return;
    const open = connections.unansweredOn(socket);
    if (error.code === 'ECONNRESET' || !socket.writable || open.some((res) => res.headersSent)) {
      socket.destroy();
      return;
    }
    const answered = answerClientError(error, socket, headers);
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
