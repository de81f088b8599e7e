const MOST_DOUBLINGS = 6;

/** Tries something again and again, with pauses that double, until nothing is left of it. */
export class Reopener {
  readonly #firstMs: number;
  readonly #reopen: () => Promise<boolean>;
  #timer: NodeJS.Timeout | undefined;
  #isBusy = false;
  #plans = 0;
  #tries = 0;
  #isClosed = false;

  /** @param reopen resolves to whether something is left to be tried; must not reject */
  constructor(firstMs: number, reopen: () => Promise<boolean>) {
    this.#firstMs = firstMs;
    this.#reopen = reopen;
  }

  /** There is something to try. */
  plan(): void {
    this.#plans++;
    if (this.#isClosed || this.#isBusy || this.#timer !== undefined) return;
    const pauseMs = this.#firstMs * 2 ** Math.min(this.#tries++, MOST_DOUBLINGS);
    this.#timer = setTimeout(() => void this.#try(), pauseMs).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #try(): Promise<void> {
    this.#timer = undefined;
    this.#isBusy = true;
    const plans = this.#plans;
    const isLeft = await this.#reopen();
    this.#isBusy = false;
    // A lane may have come meanwhile that lacks something.
    if (isLeft || this.#plans > plans) this.plan();
    else this.#tries = 0;
  }
}
