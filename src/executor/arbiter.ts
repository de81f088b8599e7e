import type { Lane } from './lane.js';

/** A model's batcher as the arbiter sees it. */
export interface Contender {
  /** Arrival of the item that has waited longest; undefined when nothing waits. */
  readonly oldestArrivalMs: number | undefined;
  /** Rides only where no other has work, and is told by `askLater` where some has. */
  readonly isBackground?: boolean;
  /** Asks for a lane once more, soon. */
  askLater?(): void;
  /**
   * Forms one batch and runs it in the lane; undefined when nothing is to run now.
   * @throws a bug; it has then ended what it could not run, and asked for a lane for the rest
   */
  ride(lane: Lane): Promise<void> | undefined;
}

/**
 * Decides whose batch gets a free lane: the model whose head of line has waited longest. Models that hold back
 * (`maxWaitMs`) pass, and the next one is asked.
 */
export class Arbiter {
  readonly #contenders = new Set<Contender>();

  add(contender: Contender): void {
    this.#contenders.add(contender);
  }

  remove(contender: Contender): void {
    this.#contenders.delete(contender);
  }

  /** True where some model has work that no claim may have been asked for. */
  get hasWork(): boolean {
    for (const contender of this.#contenders) if (contender.oldestArrivalMs !== undefined) return true;
    return false;
  }

  /** @param onFault told what a model has thrown; the next one is asked then */
  dispatch(lane: Lane, onFault: (error: unknown) => void): Promise<void> | undefined {
    const waiting = [...this.#contenders]
      .map((contender) => ({ contender, since: contender.oldestArrivalMs }))
      .filter((entry): entry is { contender: Contender; since: number } => entry.since !== undefined)
      .sort((a, b) => a.since - b.since);
    const isBusy = waiting.some(({ contender }) => contender.isBackground !== true);
    for (const { contender } of waiting) {
      if (isBusy && contender.isBackground === true) {
        contender.askLater?.();
        continue;
      }
      try {
        const ride = contender.ride(lane);
        if (ride !== undefined) return ride;
      } catch (error) {
        onFault(error);
      }
    }
    return undefined;
  }
}
