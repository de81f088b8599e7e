import type { ServerOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import { CarpoolError, messageOf } from '../errors.js';
import type { Logger } from '../telemetry/logger.js';
import { TlsFiles, type TlsFilesOptions } from './tls-files.js';

export interface TlsServerDeps {
  readonly logger: Logger;
  /** How often the files are looked at. Default: every 5 s. */
  readonly tlsPollMs?: number;
}

/**
 * A server for HTTPS whose certificate is the newest that its files have held; they are watched while it listens.
 *
 * @param handshakeTimeoutMs clients that take longer are cut off
 * @throws CarpoolError INVALID_REQUEST when a file is missing or broken
 */
export const createTlsServer = (
  options: ServerOptions,
  tls: TlsFilesOptions,
  handshakeTimeoutMs: number,
  { logger, tlsPollMs }: TlsServerDeps,
): Server => {
  const files = new TlsFiles(tls, tlsPollMs);
  const server = createServer({
    ...options,
    ...readFirst(files, 'server.tls'),
    requestCert: tls.requireClientCert,
    rejectUnauthorized: tls.requireClientCert,
    handshakeTimeout: handshakeTimeoutMs,
  });
  server.once('listening', () =>
    files.watch({
      onChanged: (context) => {
        server.setSecureContext(context);
        logger.info({ certFile: tls.certFile }, 'the certificate was replaced');
      },
      onBroken: (reason) => logger.error({ reason }, 'the certificate stays as it was'),
    }),
  );
  server.once('close', () => files.close());
  return server;
};

/** Without a cause: its code would be taken for that of the address to listen on. @throws CarpoolError INVALID_REQUEST */
export const readFirst = (files: TlsFiles, key: string): ReturnType<TlsFiles['read']> => {
  try {
    return files.read();
  } catch (error) {
    throw new CarpoolError('INVALID_REQUEST', `${key}: ${messageOf(error)}`);
  }
};
