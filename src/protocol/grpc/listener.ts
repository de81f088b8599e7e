import type { Server, ServerCredentials } from '@grpc/grpc-js';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { ConnectionMetrics } from '../../telemetry/connection-metrics.js';
import type { Logger } from '../../telemetry/logger.js';

/** Longest time that a client may keep its end open after ours was closed: after the last answer has been sent. */
const LINGER_MS = 1_000;

export interface ListenerDeps {
  readonly logger: Logger;
  readonly connections: ConnectionMetrics;
  /** More are closed as soon as they come. */
  readonly maxConnections: number;
  /** Time for a connection to say its first word. */
  readonly headersTimeoutMs: number;
}

export interface GrpcListener {
  /** @returns the port. @throws Node's error */
  listen(host: string, port: number): Promise<number>;
  /** Takes no more connections; resolves when the last one is gone. */
  close(): Promise<void>;
  /** Cuts all connections. */
  destroy(): void;
}

/**
 * Owns the sockets of a gRPC server. The library's own listener waits for ever for a client that does not close its end,
 * because it has vanished or means to: each such connection would hold a stop until its deadline, and the process after it.
 */
export const createListener = (
  server: Server,
  credentials: ServerCredentials,
  { logger, connections, maxConnections, headersTimeoutMs }: ListenerDeps,
): GrpcListener => {
  const injector = server.createConnectionInjector(credentials);
  const sockets = new Set<Socket>();
  connections.bind(() => sockets.size);
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    let limit: NodeJS.Timeout | undefined;
    const limitTo = (ms: number, isOver: () => boolean): void => {
      clearTimeout(limit);
      limit = setTimeout(() => isOver() && socket.destroy(), ms);
    };
    limitTo(headersTimeoutMs, () => socket.bytesRead === 0);
    socket.once('finish', () => limitTo(LINGER_MS, () => true));
    socket.once('close', () => {
      clearTimeout(limit);
      sockets.delete(socket);
    });
    injector.injectConnection(socket);
  });
  listener.maxConnections = maxConnections;
  listener.on('drop', () => connections.cut('max_connections'));
  // Closing fails only when it does not listen, which is where it should be.
  const close = (): Promise<void> => new Promise((resolve) => listener.close(() => resolve()));
  return {
    listen: async (host, port) => {
      listener.listen({ host, port });
      await once(listener, 'listening');
      // From now on: connections that could not be accepted.
      listener.on('error', (error) => logger.error({ err: error }, 'grpc server'));
      // A server that listens on a port has an address of this kind.
      return (listener.address() as AddressInfo).port;
    },
    close,
    destroy: () => {
      void close();
      for (const socket of sockets) socket.destroy();
    },
  };
};
