import type { Slot } from './slot.js';

/** A lane that is over the limit from its first runs on would be over it again: recycling it would never end. */
const LEAST_RUNS = 100;

/** Replaces process lanes whose memory has grown over a limit: between two runs, and one at a time. */
export class Recycler {
  readonly #maxRssBytes: number;
  readonly #onRecycle: (reason: string) => void;
  #isBusy = false;

  /** @param maxRssBytes 0 = no limit */
  constructor(maxRssBytes: number, onRecycle: (reason: string) => void) {
    this.#maxRssBytes = maxRssBytes;
    this.#onRecycle = onRecycle;
  }

  /** For every lane that has just ended a run and has none yet. */
  look(slot: Slot): void {
    const rssBytes = slot.open?.rssBytes ?? 0;
    if (this.#maxRssBytes === 0 || rssBytes <= this.#maxRssBytes || this.#isBusy) return;
    if ((slot.open?.runs ?? 0) < LEAST_RUNS) return;
    this.#isBusy = true;
    this.#onRecycle(
      `process ${slot.open?.pid ?? '?'} holds ${rssBytes} bytes, more than lanes.maxRssBytes (${this.#maxRssBytes})`,
    );
    void slot.recycle().then(() => (this.#isBusy = false));
  }
}
