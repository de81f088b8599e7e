import { codeOf, messageOf } from '../errors.js';
import type { Lane } from './lane.js';
import type { LaneBatch, ModelSpec } from './protocol.js';

/** A model as the pool keeps it: how to open it in a lane, and batches that make the lane warm for it. */
export interface Furnishing {
  readonly spec: ModelSpec;
  readonly warmup: readonly LaneBatch[];
  readonly fillTo?: number;
}

/** Lanes in a row that may be lost while they open one model; the next one goes without it. */
const MAX_LOSSES = 2;

/** The models that every new lane opens. */
export class Furnishings {
  readonly #all = new Map<string, Furnishing>();
  /** By key: lanes lost in a row while they opened it. */
  readonly #losses = new Map<string, number>();
  readonly #onFault: (message: string) => void;

  constructor(onFault: (message: string) => void) {
    this.#onFault = onFault;
  }

  get size(): number {
    return this.#all.size;
  }

  set(furnishing: Furnishing): void {
    this.#all.set(furnishing.spec.key, furnishing);
  }

  delete(key: string): void {
    this.#all.delete(key);
    this.#losses.delete(key);
  }

  /**
   * Opens and warms all of them in a lane that replaces one. One that can't be opened (its file may be gone by now), or
   * that lanes keep dying of, must not keep the others from being served: the lane goes without it.
   * @throws WORKER_LOST
   */
  async openAll(lane: Lane): Promise<void> {
    for (const furnishing of this.#all.values()) {
      const { key } = furnishing.spec;
      const losses = this.#losses.get(key) ?? 0;
      if (losses >= MAX_LOSSES) {
        this.#onFault(`${key}: not opened again: ${losses} lanes were lost while they opened it`);
        // The next lane tries once more: whoever ended those may have had other reasons.
        this.#losses.set(key, MAX_LOSSES - 1);
        continue;
      }
      try {
        await open(lane, furnishing);
        this.#losses.delete(key);
      } catch (error) {
        if (codeOf(error) === 'WORKER_LOST') {
          this.#losses.set(key, losses + 1);
          throw error;
        }
        this.#onFault(`${key}: not opened again: ${messageOf(error)}`);
      }
    }
  }
}

export const open = async (lane: Lane, { spec, warmup, fillTo }: Furnishing): Promise<void> => {
  await lane.load(spec);
  for (const batch of warmup) await lane.run(spec.key, copyOf(batch), fillTo);
};

/** A warm-up batch is sent to every lane; sending may detach its buffers. */
const copyOf = (batch: LaneBatch): LaneBatch => structuredClone(batch);
