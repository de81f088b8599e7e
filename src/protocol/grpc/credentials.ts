import { ServerCredentials } from '@grpc/grpc-js';
import type { SecureContextOptions } from 'node:tls';
import { TlsFiles, type TlsFilesOptions } from '../../http/tls-files.js';
import { readFirst } from '../../http/tls-server.js';
import type { Logger } from '../../telemetry/logger.js';

/** Credentials of a server, and what ends the watch on their files. */
export interface OpenCredentials {
  readonly credentials: ServerCredentials;
  close(): void;
}

export interface CredentialsDeps {
  readonly logger: Logger;
  /** Time for a handshake. */
  readonly headersTimeoutMs: number;
  /** How often the files are looked at. */
  readonly tlsPollMs?: number;
}

/**
 * Certificates that are read again when their files change. The library's own `createSsl` reads them once and knows no
 * lowest version of TLS, and its file watcher loses the good certificate to a broken file.
 *
 * @throws CarpoolError INVALID_REQUEST when a file is missing or broken
 */
export const openCredentials = (
  tls: TlsFilesOptions | false,
  { logger, headersTimeoutMs, tlsPollMs }: CredentialsDeps,
): OpenCredentials => {
  if (tls === false) return { credentials: ServerCredentials.createInsecure(), close: () => undefined };
  const files = new TlsFiles(tls, tlsPollMs);
  const credentials = new ReplaceableCredentials(
    tls.requireClientCert,
    headersTimeoutMs,
    readFirst(files, 'grpc.tls'),
  );
  files.watch({
    onChanged: (context) => {
      credentials.replace(context);
      logger.info({ certFile: tls.certFile }, 'the certificate of gRPC was replaced');
    },
    onBroken: (reason) => logger.error({ reason }, 'the certificate of gRPC stays as it was'),
  });
  return { credentials, close: () => files.close() };
};

class ReplaceableCredentials extends ServerCredentials {
  constructor(requireClientCert: boolean, handshakeTimeout: number, context: SecureContextOptions) {
    super(
      { requestCert: requireClientCert, rejectUnauthorized: requireClientCert, handshakeTimeout },
      context,
    );
  }

  replace(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}
