import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { messageOf } from '../errors.js';

/** Paths of PEM files; see `server.tls` in config.yaml. */
export interface TlsFilesOptions {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile?: string;
  readonly requireClientCert: boolean;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

export interface TlsWatcher {
  /** They changed, and what they hold now fits together. */
  readonly onChanged: (options: SecureContextOptions) => void;
  /** They changed into something that is of no use: what was before stays. */
  readonly onBroken: (message: string) => void;
}

/** Files are looked at so often. By their times and not by events: those of mounted secrets are unreliable. */
const POLL_MS = 5000;

/** Certificate and key from files that may be replaced while the server runs. */
export class TlsFiles {
  readonly #options: TlsFilesOptions;
  readonly #pollMs: number;
  #stop = (): void => undefined;

  constructor(options: TlsFilesOptions, pollMs = POLL_MS) {
    this.#options = options;
    this.#pollMs = pollMs;
  }

  /** @throws Error saying which files, when they can't be read or do not fit together */
  read(): SecureContextOptions {
    const { certFile, keyFile, caFile, minVersion } = this.#options;
    try {
      const context = {
        cert: readFileSync(certFile),
        key: readFileSync(keyFile),
        ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }),
        minVersion,
      };
      createSecureContext(context);
      return context;
    } catch (error) {
      throw new Error(`expected a certificate in ${certFile} and its key in ${keyFile}: ${messageOf(error)}`);
    }
  }

  /** Until `close`. Holds no process. */
  watch({ onChanged, onBroken }: TlsWatcher): void {
    const { certFile, keyFile, caFile } = this.#options;
    const look = (): void => {
      try {
        onChanged(this.read());
      } catch (error) {
        onBroken(messageOf(error));
      }
    };
    const files = [certFile, keyFile, ...(caFile === undefined ? [] : [caFile])];
    for (const file of files) watchFile(file, { interval: this.#pollMs, persistent: false }, look);
    this.#stop = () => {
      for (const file of files) unwatchFile(file, look);
    };
  }

  close(): void {
    this.#stop();
  }
}
