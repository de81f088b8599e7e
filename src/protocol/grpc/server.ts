import { Server, ServerCredentials } from '@grpc/grpc-js';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { CarpoolError, messageOf } from '../../errors.js';
import { createErrorLog } from '../../telemetry/error-log.js';
import type { Logger } from '../../telemetry/logger.js';
import type { GrpcExchangeDeps } from './exchange.js';
import { createInfer, type InferDeps } from './infer.js';
import { loadServices } from './protos.js';
import { healthService, inferenceService, type ServiceDeps } from './services.js';
import { InferStreams } from './stream.js';

export interface GrpcServerDeps
  extends GrpcExchangeDeps, InferDeps, Pick<ServiceDeps, 'health' | 'modelRoot'> {
  readonly logger: Logger;
  readonly maxMessageBytes: number;
}

export interface GrpcServer {
  /** @param port 0 = any free one. @throws CarpoolError CONFLICT saying what to do */
  listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }>;
  /** Takes nothing new, answers what is open, resolves when the last connection is gone. */
  closeGracefully(): Promise<void>;
  /** Cuts every connection. */
  closeNow(): Promise<void>;
}

/** Open Inference Protocol v2 over gRPC, without TLS: see docs/protocols.md. */
export const createGrpcServer = (given: GrpcServerDeps): GrpcServer => {
  const deps = { ...given, errorLog: createErrorLog(given.logger, given.now) };
  const server = new Server({
    'grpc.max_receive_message_length': deps.maxMessageBytes,
    'grpc.max_send_message_length': -1,
  });
  const infer = createInfer(deps);
  const streams = new InferStreams(infer, deps);
  const services = loadServices();
  const serviceDeps = { ...deps, infer, streams };
  server.addService(services.inference, inferenceService(serviceDeps));
  server.addService(services.health, healthService(serviceDeps));
  return {
    listen: async (host, port) => {
      const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
      const bind = promisify((callback: (error: Error | null, bound: number) => void) =>
        server.bindAsync(address, ServerCredentials.createInsecure(), callback),
      );
      try {
        await requireFree(host, port);
        return { host, port: await bind() };
      } catch (error) {
        throw listenError(error, address);
      }
    },
    closeGracefully: () => {
      streams.close();
      return new Promise((resolve) => server.tryShutdown(() => resolve()));
    },
    closeNow: () => {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
};

/** The library would print a line to the console and give no reason. @throws Node's error */
const requireFree = async (host: string, port: number): Promise<void> => {
  const probe = createServer();
  probe.listen({ host, port });
  await once(probe, 'listening');
  probe.close();
  await once(probe, 'close');
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
