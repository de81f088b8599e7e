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
      const exchange = findExchange(res.req);
      const headers: OutgoingHttpHeaders = { 'content-type': 'application/x-ndjson' };
      if (exchange !== undefined) headers['x-request-id'] = exchange.requestId;
      if (exchange?.trace !== undefined) headers['traceparent'] = exchange.trace.traceparent;
      res.writeHead(200, headers);
    }
    if (!res.write(line)) this.#drained ??= this.#drain();
  }

  /** Resolves when the client has read what was written, or has gone. */
  async ready(): Promise<void> {
    await this.#drained;
  }

  end(): void {
    if (!this.#res.destroyed) this.#res.end();
  }

  async #drain(): Promise<void> {
    const res = this.#res;
    await new Promise<void>((resolve) => {
      const done = (): void => {
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
