import { codeOf, messageOf } from '../errors.js';
import type { Lane } from './lane.js';
import type { LaneBatch, ModelSpec } from './protocol.js';

/** A model as the pool keeps it: how to open it in a lane, and batches that make the lane warm for it. */
export interface Furnishing {
  readonly spec: ModelSpec;
  readonly warmup: readonly LaneBatch[];
  readonly fillTo?: number;
  /**
   * Asked before and after a lane reads its files; default: nobody asks.
   * @throws where they are not those that were tested
   */
  readonly requireSame?: () => Promise<void>;
}

/** Lanes in a row that may be lost while they open one model; the next one goes without it. */
const MAX_LOSSES = 2;

/** The models that every new lane opens. */
export class Furnishings {
  readonly #all = new Map<string, Furnishing>();
  /** By key: lanes lost in a row while they opened it. */
  readonly #losses = new Map<string, number>();
  /** Keys that a lane could not open, and has lived through it. */
  readonly #refused = new WeakMap<Lane, Set<string>>();
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
      } else await this.#open(lane, furnishing);
    }
  }

  /** What this lane could not open and should. Not what lanes have died of: trying that again costs a lane. */
  refusedBy(lane: Lane): readonly Furnishing[] {
    return [...(this.#refused.get(lane) ?? [])].flatMap((key) => this.#all.get(key) ?? []);
  }

  /** Tries those once more. @throws WORKER_LOST */
  async openRefused(lane: Lane): Promise<void> {
    for (const furnishing of this.refusedBy(lane)) await this.#open(lane, furnishing);
  }

  async #open(lane: Lane, furnishing: Furnishing): Promise<void> {
    const { key } = furnishing.spec;
    const refused = this.#refused.get(lane) ?? new Set();
    this.#refused.set(lane, refused);
    try {
      await open(lane, furnishing);
      this.#losses.delete(key);
      refused.delete(key);
    } catch (error) {
      if (codeOf(error) === 'WORKER_LOST') {
        this.#losses.set(key, (this.#losses.get(key) ?? 0) + 1);
        throw error;
      }
      refused.add(key);
      this.#onFault(`${key}: not opened again: ${messageOf(error)}`);
      // It may be open and have failed afterwards.
      if (lane.has(key)) await lane.unload(key);
    }
  }
}

/** @throws MODEL_LOAD_FAILED, WORKER_LOST; the model may be open then */
export const open = async (lane: Lane, { spec, warmup, fillTo, requireSame }: Furnishing): Promise<void> => {
  await requireSame?.();
  await lane.load(spec);
  await requireSame?.();
  for (const batch of warmup) await lane.run(spec.key, copyOf(batch), fillTo);
};

/** A warm-up batch is sent to every lane; sending may detach its buffers. */
const copyOf = (batch: LaneBatch): LaneBatch => structuredClone(batch);
