import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createHttpRouter, type Handler, type HttpRouterDeps, type Route } from '../../src/http/router.js';
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../../src/http/server.js';
import type { ConnectionMetrics, CutReason } from '../../src/telemetry/connection-metrics.js';
import type { RequestRecord } from '../../src/telemetry/access-log.js';
import { createLogger } from '../../src/telemetry/logger.js';
import type { RequestObserver } from '../../src/telemetry/request-observer.js';

export const OPTIONS: HttpServerOptions = {
  headersTimeoutMs: 10_000,
  bodyTimeoutMs: 10_000,
  keepAliveTimeoutMs: 75_000,
  bodyLimitBytes: 1_000_000,
  maxConnections: 1000,
  tls: false,
};

/** Counts and keeps what the HTTP layer reports; `next` waits for the record of the next request. */
export class Recorder implements RequestObserver {
  readonly records: RequestRecord[] = [];
  inFlight = 0;
  readonly #waiting: ((record: RequestRecord) => void)[] = [];
  #taken = 0;

  started(): void {
    this.inFlight++;
  }

  finished(record: RequestRecord): void {
    this.inFlight--;
    this.records.push(record);
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      this.#taken++;
      waiting(record);
    }
  }

  /** The first record that no earlier `next` has returned. */
  next(): Promise<RequestRecord> {
    const record = this.records[this.#taken];
    if (record === undefined) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#taken++;
    return Promise.resolve(record);
  }
}

export interface Harness {
  readonly url: string;
  readonly port: number;
  readonly recorder: Recorder;
  /** Parsed log lines. */
  readonly lines: Record<string, unknown>[];
  /** Why connections were cut. */
  readonly cuts: string[];
  /** Open now, as the server counts. */
  readonly connections: () => number;
  readonly server: HttpServer;
}

/** Runs `test` against a real server on a free port, and closes it whatever happens. */
export const withServer = async (
  routes: readonly Route[],
  test: (harness: Harness) => Promise<void>,
  {
    serverTiming = false,
    wall = {},
    tlsPollMs = 20,
    ...options
  }: Partial<HttpServerOptions> & {
    serverTiming?: boolean;
    wall?: Partial<HttpRouterDeps>;
    tlsPollMs?: number;
  } = {},
): Promise<void> => {
  const recorder = new Recorder();
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger(
    { level: 'debug' },
    { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const cuts: string[] = [];
  let connections = (): number => 0;
  const metrics: ConnectionMetrics = {
    bind: (fn) => {
      connections = fn;
    },
    cut: (reason) => cuts.push(reason),
  };
  const deps = {
    ...{ observer: recorder, logger, now: () => performance.now(), serverTiming, metrics, tlsPollMs },
    onCut: (reason: CutReason) => cuts.push(reason),
    ...wall,
  };
  // Without a need they would be for admins only, and every call stand in the log.
  const open = routes.map((route) => ({ needs: 'public' as const, ...route }));
  const { listener } = createHttpRouter(open, deps);
  const server = createHttpServer(listener, { ...OPTIONS, ...options }, deps);
  const { port } = await server.listen('127.0.0.1', 0);
  try {
    await test({
      ...{ url: `http://127.0.0.1:${port}`, port, recorder, lines, server, cuts },
      connections: () => connections(),
    });
  } finally {
    await server.closeNow();
  }
};

export const post = (handler: Handler): readonly Route[] => [{ path: '/x', post: handler }];
export const get = (handler: Handler): readonly Route[] => [{ path: '/x', get: handler }];

export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly requestId: string };
}

export const errorOf = async (response: Response): Promise<ErrorBody['error']> =>
  ((await response.json()) as ErrorBody).error;

/** A socket with everything that it has received so far. */
export interface RawClient {
  readonly socket: Socket;
  text(): string;
  /** Waits until `part` has arrived. */
  until(part: string): Promise<void>;
  /** Waits for the server to close; @returns everything received. */
  closed(): Promise<string>;
}

export const rawClient = async (port: number, firstBytes = ''): Promise<RawClient> => {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'connect');
  if (firstBytes !== '') socket.write(firstBytes);
  return {
    socket,
    text: () => received,
    until: async (part) => {
      while (!received.includes(part)) await once(socket, 'data');
    },
    closed: async () => {
      await closed;
      return received;
    },
  };
};

/** A promise and what settles it. */
export const gate = (): { readonly opened: Promise<void>; open: () => void } => {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
};
