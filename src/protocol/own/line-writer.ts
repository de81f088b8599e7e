import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { findExchange } from '../../http/exchange.js';

/** Writes an answer line by line, no faster than the client reads. */
export class LineWriter {
  readonly #res: ServerResponse;
  #drained: Promise<void> | undefined;

  constructor(res: ServerResponse) {
    this.#res = res;
  }

  /** Whether the status is out: an error can only be a line then. */
  get hasBegun(): boolean {
    return this.#res.headersSent;
  }

  /** Status 200 goes out before the first line. Nothing happens when the client is gone. */
  write(line: string | Uint8Array): void {
    const res = this.#res;
    if (res.destroyed || res.writableEnded) return;
    if (!res.headersSent) {
      const headers: OutgoingHttpHeaders = findExchange(res.req)?.headersOf(res) ?? {};
      headers['content-type'] = 'application/x-ndjson';
      res.writeHead(200, headers);
    }
    if (!res.write(line)) this.#drained ??= this.#drain();
  }

  /** Resolves when the client has read what was written, or has gone. */
  async ready(): Promise<void> {
    await this.#drained;
  }

  end(): void {
    const res = this.#res;
    if (res.destroyed) return;
    res.end();
    findExchange(res.req)?.limitSending(res);
  }

  async #drain(): Promise<void> {
    const res = this.#res;
    const stopLimit = findExchange(res.req)?.limitSending(res);
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stopLimit?.();
        res.off('drain', done);
        res.off('close', done);
        resolve();
      };
      res.on('drain', done);
      res.on('close', done);
    });
    this.#drained = undefined;
  }
}
