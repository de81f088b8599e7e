import { Server, ServerCredentials } from '@grpc/grpc-js';
import { CarpoolError, messageOf } from '../../errors.js';
import { decodingAll } from './decode.js';
import type { GrpcExchangeDeps } from './exchange.js';
import { createInfer, type InferDeps } from './infer.js';
import { createListener } from './listener.js';
import { loadServices } from './protos.js';
import { healthService, inferenceService, type ServiceDeps } from './services.js';
import { InferStreams } from './stream.js';

export interface GrpcServerDeps
  extends GrpcExchangeDeps, InferDeps, Pick<ServiceDeps, 'health' | 'modelRoot' | 'logger'> {
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
export const createGrpcServer = (deps: GrpcServerDeps): GrpcServer => {
  const server = new Server({
    'grpc.max_receive_message_length': deps.maxMessageBytes,
    'grpc.max_send_message_length': -1,
  });
  const listener = createListener(server, ServerCredentials.createInsecure(), deps.logger);
  const infer = createInfer(deps);
  const streams = new InferStreams(infer, deps);
  const services = loadServices();
  const serviceDeps = { ...deps, infer, streams };
  server.addService(decodingAll(services.inference), inferenceService(serviceDeps));
  server.addService(decodingAll(services.health), healthService(serviceDeps));
  return {
    listen: async (host, port) => {
      try {
        return { host, port: await listener.listen(host, port) };
      } catch (error) {
        throw listenError(error, host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
      }
    },
    closeGracefully: () => {
      const allGone = listener.close();
      streams.close();
      server.tryShutdown(() => undefined);
      return allGone;
    },
    closeNow: () => {
      server.forceShutdown();
      listener.destroy();
      return Promise.resolve();
    },
  };
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
