import { CarpoolError, codeOf } from '../errors.js';
import type { JobMessage } from './thread-protocol.js';

/** One job between its caller and the codec thread; settles once, by the thread's answer or by the caller's signal. */
export class PendingJob {
  readonly done: Promise<unknown>;
  readonly message: JobMessage;
  readonly transfer: readonly ArrayBuffer[];
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.reject(abortReason(this.#signal));
  #settled = false;
  #resolve: (output: unknown) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(message: JobMessage, transfer: readonly ArrayBuffer[], signal: AbortSignal | undefined) {
    this.message = message;
    this.transfer = transfer;
    this.#signal = signal;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get settled(): boolean {
    return this.#settled;
  }

  resolve(output: unknown): void {
    this.#settle();
    this.#resolve(output);
  }

  reject(error: unknown): void {
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    this.#settled = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}

/** The signal's own reason where it is one of our errors (a deadline), else CLIENT_GONE: nobody waits any more. */
export const abortReason = (signal: AbortSignal | undefined): unknown => {
  const reason: unknown = signal?.reason;
  return codeOf(reason) === 'INTERNAL'
    ? new CarpoolError('CLIENT_GONE', 'the request was cancelled')
    : reason;
};
