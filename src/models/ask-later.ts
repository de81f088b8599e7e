import type { Clock } from '#batcher';

/** Looks again this soon whether there is a lane for it. */
const PAUSE_MS = 5;

/** Asks once more after a pause, for who was offered a lane and could not take it: nobody else would ask for it. */
export class AskLater {
  readonly #clock: Clock;
  readonly #ask: () => void;
  #isWaiting = false;

  constructor(clock: Clock, ask: () => void) {
    this.#clock = clock;
    this.#ask = ask;
  }

  plan(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#clock.callAt(this.#clock.now() + PAUSE_MS, () => {
      this.#isWaiting = false;
      this.#ask();
    });
  }
}
