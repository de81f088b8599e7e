import { Agent as HttpAgent, request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { messageOf } from '../../errors.js';

export type Outcome =
  { readonly ok: true } | { readonly ok: false; readonly isRetryable: boolean; readonly reason: string };

const TIMEOUT_MS = 5000;
/** OTLP: the others say that the same request would fail again. */
const RETRYABLE: readonly number[] = [429, 502, 503, 504];

/** Sends exports over one connection that is kept. Not by `fetch`, which copies every body. */
export class OtlpPoster {
  readonly #url: URL;
  readonly #headers: OutgoingHttpHeaders;
  readonly #agent: HttpAgent;

  constructor(url: string, headers: Readonly<Record<string, string>>) {
    this.#url = new URL(url);
    const Agent = this.#url.protocol === 'https:' ? HttpsAgent : HttpAgent;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1 });
    this.#headers = { ...headers, 'content-type': 'application/json' };
  }

  /** Never rejects. */
  async post(body: Buffer, stop: AbortSignal): Promise<Outcome> {
    try {
      const status = await this.#send(body, AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MS)]));
      if (status >= 200 && status < 300) return { ok: true };
      return {
        ok: false,
        isRetryable: RETRYABLE.includes(status),
        reason: `the collector answered ${status}`,
      };
    } catch (error) {
      return { ok: false, isRetryable: !stop.aborted, reason: messageOf(error) };
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(body: Buffer, signal: AbortSignal): Promise<number> {
    const request = this.#url.protocol === 'https:' ? httpsRequest : httpRequest;
    const headers = { ...this.#headers, 'content-length': body.byteLength };
    const options = { method: 'POST', agent: this.#agent, headers, signal };
    return new Promise((resolve, reject) => {
      const req = request(this.#url, options, (res) => {
        res.resume();
        res.on('end', () => resolve(res.statusCode ?? 0));
        res.on('error', reject);
      });
      req.on('error', reject);
      req.end(body);
    });
  }
}
