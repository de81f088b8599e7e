import type { Lane } from './lane.js';

/**
 * Lanes that were given up inside the runtime and are not gone yet: threads, which can't be ended there. Each may hold a
 * core and its models' weights for ever, so only so many are replaced.
 */
export class AbandonedLanes {
  readonly #most: number;
  readonly #onFull: (count: number) => void;
  readonly #lanes = new Set<Lane>();
  readonly #waiting: (() => void)[] = [];

  /**
   * @param most so many may exist and still be replaced
   * @param onFull told when one more than that exists
   */
  constructor(most: number, onFull: (count: number) => void) {
    this.#most = most;
    this.#onFull = onFull;
  }

  get count(): number {
    return this.#lanes.size;
  }

  get isFull(): boolean {
    return this.count > this.#most;
  }

  /** Some are there, and one more would not be replaced. */
  get isNearlyFull(): boolean {
    return this.count > 0 && this.count >= this.#most;
  }

  /** A lane that is gone; it counts while it is still running. */
  add(lane: Lane): void {
    if (!lane.running) return;
    this.#lanes.add(lane);
    void lane.ended.then(() => {
      this.#lanes.delete(lane);
      if (!this.isFull) for (const resolve of this.#waiting.splice(0)) resolve();
    });
    if (this.count === this.#most + 1) this.#onFull(this.count);
  }

  /** Resolves when another lane may be started; undefined: at once. */
  room(): Promise<void> | undefined {
    return this.isFull ? new Promise<void>((resolve) => this.#waiting.push(resolve)) : undefined;
  }
}
