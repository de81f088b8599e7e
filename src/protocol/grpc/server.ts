import { Server } from '@grpc/grpc-js';
import { createAudit } from '../../access/audit.js';
import type { Gate } from '../../access/gate.js';
import { CarpoolError, messageOf } from '../../errors.js';
import type { TlsFilesOptions } from '../../http/tls-files.js';
import { accessInterceptor } from './access.js';
import { Callers } from './callers.js';
import { openCredentials } from './credentials.js';
import { decodingAll } from './decode.js';
import { createErrorLog } from '../../telemetry/error-log.js';
import type { ConnectionMetrics } from '../../telemetry/connection-metrics.js';
import type { Logger } from '../../telemetry/logger.js';
import type { GrpcExchangeDeps } from './exchange.js';
import { HealthService } from './health.js';
import { createInfer, type InferDeps } from './infer.js';
import { createListener } from './listener.js';
import { loadServices, type Services } from './protos.js';
import { inferenceService, type ServiceDeps } from './services.js';
import { InferStreams } from './stream.js';
import { Wall, type WallDeps } from './wall.js';

export interface GrpcServerDeps
  extends
    Omit<GrpcExchangeDeps, 'callers'>,
    InferDeps,
    Pick<ServiceDeps, 'health' | 'modelRoot'>,
    Pick<WallDeps, 'bodyTimeoutMs' | 'sendTimeoutMs' | 'drainTimeoutMs'> {
  readonly connections: ConnectionMetrics;
  /** Connections at a time; more are closed as soon as they come. */
  readonly maxConnections: number;
  /** Time for a connection to say its first word, and for a TLS handshake. */
  readonly headersTimeoutMs: number;
  /** Who may call. */
  readonly gate: Gate;
  readonly logger: Logger;
  readonly maxMessageBytes: number;
  readonly tls: TlsFilesOptions | false;
  readonly reflection: boolean;
  /** How often the files of `tls` are looked at. */
  readonly tlsPollMs?: number;
}

export interface GrpcServer {
  /** @param port 0 = any free one. @throws CarpoolError CONFLICT saying what to do */
  listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }>;
  /** Takes nothing new, answers what is open, resolves when the last connection is gone. */
  closeGracefully(): Promise<void>;
  /** Cuts every connection. */
  closeNow(): Promise<void>;
}

/** A client that has vanished without a word is found out by pings. */
const PING_MS = 60_000;
const PING_TIMEOUT_MS = 20_000;
/** A connection without a call for so long is closed; clients open another by themselves. */
const IDLE_MS = 300_000;
/** Calls of one connection at a time; clients hold more back. */
const MOST_STREAMS = 1024;

/** Open Inference Protocol v2 over gRPC: see docs/protocols.md. */
export const createGrpcServer = (given: GrpcServerDeps): GrpcServer => {
  const deps = {
    ...given,
    callers: new Callers(given.gate),
    audit: createAudit(given.logger),
    errorLog: createErrorLog(given.logger, given.now),
  };
  const wall = new Wall(deps);
  const server = new Server({
    interceptors: [wall.interceptor, ...(given.gate.isOpen ? [] : [accessInterceptor(deps)])],
    'grpc.max_receive_message_length': deps.maxMessageBytes,
    'grpc.max_send_message_length': -1,
    'grpc.keepalive_time_ms': PING_MS,
    'grpc.keepalive_timeout_ms': PING_TIMEOUT_MS,
    'grpc.max_connection_idle_ms': IDLE_MS,
    'grpc.max_concurrent_streams': MOST_STREAMS,
  });
  const health = new HealthService(deps);
  const tls = openCredentials(deps.tls, deps);
  const listener = createListener(server, tls.credentials, deps);
  const infer = createInfer(deps);
  const streams = new InferStreams(infer, deps);
  const services = loadServices();
  const serviceDeps = { ...deps, infer, streams };
  server.addService(decodingAll(services.inference), inferenceService(serviceDeps));
  server.addService(decodingAll(services.health), health.handlers);
  return {
    listen: async (host, port) => {
      try {
        if (deps.reflection) await addReflection(server, services);
        return { host, port: await listener.listen(host, port) };
      } catch (error) {
        throw listenError(error, host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
      }
    },
    closeGracefully: () => {
      tls.close();
      const allGone = listener.close();
      wall.hurry();
      streams.close();
      health.close();
      server.tryShutdown(() => undefined);
      return allGone;
    },
    closeNow: () => {
      tls.close();
      health.close();
      server.forceShutdown();
      listener.destroy();
      return Promise.resolve();
    },
  };
};

/** Loads the library. */
const addReflection = async (server: Server, { definition }: Services): Promise<void> => {
  const { ReflectionService } = await import('@grpc/reflection');
  new ReflectionService(definition).addToServer(server);
};

/** Without a cause: its code would be taken for that of the HTTP server's address. */
const listenError = (error: unknown, address: string): CarpoolError => {
  const { code } = error as NodeJS.ErrnoException;
  const reason =
    code === 'EADDRINUSE'
      ? 'the port is in use; choose another with --set grpc.port=… (0 = any free port), or --set grpc.enabled=false'
      : `${messageOf(error)}; see grpc.host and grpc.port`;
  return new CarpoolError('CONFLICT', `gRPC: cannot listen on ${address}: ${reason}`);
};
