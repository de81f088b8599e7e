import PQueue from 'p-queue';
import { codeOf, messageOf } from '../errors.js';
import type { Arbiter } from './arbiter.js';
import type { Lane } from './lane.js';
import type { OpenLink } from './link.js';
import type { LaneBatch, ModelSpec } from './protocol.js';
import { Slot } from './slot.js';

export interface PoolDeps {
  readonly lanes: number;
  readonly open: OpenLink;
  /** Forms a batch for a lane that is free now. */
  readonly arbiter: Arbiter;
  /** Time for a lane to start, without any model. Default 30 s. */
  readonly startTimeoutMs?: number;
  /** Time for a new lane to open and warm one of the models that the others have. Default 120 s. */
  readonly openTimeoutMs?: number;
  readonly onRestart: (reason: string) => void;
  /** A dispatch threw, or a model could not be opened again: never expected, never fatal. */
  readonly onFault: (message: string) => void;
}

/** A model as the pool keeps it: how to open it in a lane, and batches that make the lane warm for it. */
export interface Furnishing {
  readonly spec: ModelSpec;
  readonly warmup: readonly LaneBatch[];
  readonly fillTo?: number;
}

/**
 * Lanes shared by all models, and the claims on them. Arrivals ask for an anonymous claim; when a lane is free the
 * claim starts, and only then the arbiter decides which model's batch rides (late binding).
 *
 *   requestLane() ─▶ p-queue (concurrency = lanes) ─▶ a free slot ─▶ arbiter.dispatch(lane) ─▶ slot free again
 *
 * Invariant: a started job holds at most one slot, or waits for one particular slot; so a starting job always finds a
 * free one.
 */
export class LanePool {
  readonly #deps: PoolDeps;
  readonly #queue: PQueue;
  #slots: readonly Slot[] = [];
  readonly #free: Slot[] = [];
  /** Jobs that want one particular slot and get it from whoever gives it back. */
  readonly #reserved = new Map<Slot, (() => void)[]>();
  readonly #furnishings = new Map<string, Furnishing>();
  #asked = 0;
  /** Lanes that died. */
  #lost = 0;

  constructor(deps: PoolDeps) {
    this.#deps = deps;
    this.#queue = new PQueue({ concurrency: deps.lanes });
  }

  /** One word per lane, for health and metrics. `running` is inside the runtime: running a model, or opening one. */
  get states(): readonly ('idle' | 'running' | 'starting')[] {
    return this.#slots.map((slot) => {
      if (slot.running) return 'running';
      return slot.open === undefined ? 'starting' : 'idle';
    });
  }

  get lanesView(): { readonly total: number; readonly idle: number; readonly lost: number } {
    return { total: this.#slots.length, idle: this.#free.length, lost: this.#lost };
  }

  /** Process ids of the lanes that are processes. */
  get pids(): readonly number[] {
    return this.#slots.flatMap((slot) => slot.open?.pid ?? []);
  }

  /** Starts the lanes, once; resolves when all are there. */
  async start(): Promise<void> {
    const { lanes, open, startTimeoutMs = 30_000, openTimeoutMs = 120_000 } = this.#deps;
    const onRestart = (reason: string): void => {
      this.#lost++;
      this.#deps.onRestart(reason);
    };
    const furnish = (lane: Lane): Promise<void> => this.#furnishAll(lane);
    const furnishTimeoutMs = (): number => openTimeoutMs * Math.max(1, this.#furnishings.size);
    const slot = { open, furnish, startTimeoutMs, furnishTimeoutMs, onRestart };
    this.#slots = Array.from({ length: lanes }, () => new Slot(slot));
    this.#free.push(...this.#slots);
    await Promise.all(this.#slots.map((slot) => slot.lane()));
  }

  /**
   * Asks for any free lane. Claims are alike, so more of them than lanes would do nothing; a claim starts after the
   * other arrivals of this turn of the event loop, so that they ride together.
   */
  requestLane = (): void => {
    if (this.#asked >= this.#deps.lanes) return;
    this.#asked++;
    setImmediate(() => void this.#queue.add(() => this.#claim()));
  };

  /**
   * Opens and warms a model in every lane: one lane after the other while the rest serve, or all at once at start-up.
   * A lane that is replaced from now on opens it too.
   */
  async furnish(furnishing: Furnishing, atOnce: boolean): Promise<void> {
    this.#furnishings.set(furnishing.spec.key, furnishing);
    const openIn = (slot: Slot): Promise<void> => this.#onSlot(slot, (lane) => open(lane, furnishing));
    try {
      if (atOnce) await Promise.all(this.#slots.map(openIn));
      else for (const slot of this.#slots) await openIn(slot);
    } catch (error) {
      await this.unfurnish(furnishing.spec.key);
      throw error;
    }
  }

  /** Closes a model in every lane, freeing its weights. */
  async unfurnish(key: string): Promise<void> {
    this.#furnishings.delete(key);
    for (const slot of this.#slots)
      await this.#onSlot(slot, (lane) => lane.unload(key)).catch((error: unknown) => {
        // A lane that died has freed everything; its replacement does not get this model.
        if (codeOf(error) !== 'WORKER_LOST') throw error;
      });
  }

  /** Runs `work` on one lane, alone: for trial runs before a model takes traffic. */
  onLane<T>(work: (lane: Lane) => Promise<T>): Promise<T> {
    const slot = this.#slots[0];
    if (slot === undefined) throw new RangeError('a pool has at least one lane');
    return this.#onSlot(slot, work);
  }

  /** Runs `work` on every lane at once, each alone there; rejects with the first failure, when all have ended. */
  async onEveryLane<T>(work: (lane: Lane) => Promise<T>): Promise<T[]> {
    const ends = await Promise.allSettled(this.#slots.map((slot) => this.#onSlot(slot, work)));
    return ends.map((end) => {
      if (end.status === 'fulfilled') return end.value;
      throw end.reason;
    });
  }

  /**
   * Runs `work` on a lane if every lane is free and nobody asks for one: for measurements that must delay no request.
   * @returns undefined where the lanes have better things to do
   */
  whileIdle<T>(work: (lane: Lane) => Promise<T>): Promise<T> | undefined {
    const [slot] = this.#free;
    if (slot === undefined || this.#free.length < this.#slots.length || this.#asked > 0) return undefined;
    return this.#onSlot(slot, work);
  }

  /** Ends all lanes between two runs. */
  async close(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.close()));
  }

  /** Gives all lanes up at once, in a run or not. */
  discard(): void {
    for (const slot of this.#slots) slot.discard('the gateway was closed');
  }

  async #claim(): Promise<void> {
    const slot = this.#take();
    try {
      const lane = slot.open ?? (await slot.lane());
      // From here on new arrivals need a claim of their own: this one is about to look at the queue.
      this.#asked--;
      const ride = this.#deps.arbiter.dispatch(lane, (error) => this.#deps.onFault(messageOf(error)));
      // Another model may have asked while this claim was the only one that could be asked for.
      if (ride !== undefined && this.#deps.arbiter.hasWork) this.requestLane();
      await ride;
    } catch (error) {
      // Only a closed slot is WORKER_LOST here, and then no claim is needed any more.
      if (codeOf(error) !== 'WORKER_LOST') this.#deps.onFault(messageOf(error));
    } finally {
      this.#give(slot);
    }
  }

  async #onSlot<T>(slot: Slot, work: (lane: Lane) => Promise<T>): Promise<T> {
    return this.#queue.add(
      async () => {
        await this.#takeThis(slot);
        try {
          return await work(await slot.lane());
        } finally {
          this.#give(slot);
        }
      },
      { priority: 1 },
    );
  }

  /** A slot that can run at once before one whose lane is restarting. */
  #take(): Slot {
    const index = this.#free.findIndex((slot) => slot.open !== undefined);
    const [slot] = this.#free.splice(Math.max(0, index), 1);
    if (slot === undefined) throw new RangeError('no free lane for a started claim: a bug in executor/pool');
    return slot;
  }

  async #takeThis(slot: Slot): Promise<void> {
    const index = this.#free.indexOf(slot);
    if (index >= 0) {
      this.#free.splice(index, 1);
      return;
    }
    await new Promise<void>((resolve) => {
      this.#reserved.set(slot, [...(this.#reserved.get(slot) ?? []), resolve]);
    });
  }

  #give(slot: Slot): void {
    const next = this.#reserved.get(slot)?.shift();
    if (next === undefined) this.#free.push(slot);
    else next();
  }

  async #furnishAll(lane: Lane): Promise<void> {
    for (const furnishing of this.#furnishings.values()) {
      try {
        await open(lane, furnishing);
      } catch (error) {
        // One model's file may be gone by now; the others must not wait for it.
        if (codeOf(error) === 'WORKER_LOST') throw error;
        this.#deps.onFault(`${furnishing.spec.key}: not opened again: ${messageOf(error)}`);
      }
    }
  }
}

const open = async (lane: Lane, { spec, warmup, fillTo }: Furnishing): Promise<void> => {
  await lane.load(spec);
  for (const batch of warmup) await lane.run(spec.key, copyOf(batch), fillTo);
};

/** A warm-up batch is sent to every lane; sending may detach its buffers. */
const copyOf = (batch: LaneBatch): LaneBatch => structuredClone(batch);
