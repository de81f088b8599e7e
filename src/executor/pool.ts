import { codeOf, messageOf } from '../errors.js';
import { AbandonedLanes } from './abandoned.js';
import { Furnishings, open, type Furnishing } from './furnishings.js';
import type { Lane } from './lane.js';
import type { PoolDeps } from './pool-deps.js';
import { Recycler } from './recycler.js';
import { Reopener } from './reopener.js';
import { Shifts } from './shifts.js';
import { Slot } from './slot.js';

export type { Furnishing } from './furnishings.js';

/**
 * Lanes shared by all models, and the claims on them. Arrivals ask for an anonymous claim; when a lane is free the
 * claim starts, and only then the arbiter decides which model's batch rides (late binding).
 *
 *   requestLane() ─▶ shifts: a free slot ─▶ arbiter.dispatch(lane) ─▶ slot free again
 */
export class LanePool {
  readonly #deps: PoolDeps;
  readonly #shifts: Shifts;
  #slots: readonly Slot[] = [];
  readonly #furnishings: Furnishings;
  readonly #abandoned: AbandonedLanes;
  readonly #reopener: Reopener;
  #asked = 0;
  /** Lanes that died. */
  #lost = 0;

  constructor(deps: PoolDeps) {
    this.#deps = deps;
    this.#furnishings = new Furnishings(deps.onFault);
    this.#abandoned = new AbandonedLanes(deps.maxAbandoned ?? 8, (count) => deps.onStuck?.(count));
    const recycler = new Recycler(deps.maxRssBytes ?? 0, (reason) => deps.onRecycle?.(reason));
    this.#shifts = new Shifts(deps.lanes, (slot) => recycler.look(slot));
    this.#reopener = new Reopener(deps.reopenAfterMs ?? 5_000, () => this.#reopen());
  }

  /** One word per lane, for health and metrics. `running` is inside the runtime: running a model, or opening one. */
  get states(): readonly ('idle' | 'running' | 'starting' | 'vacant')[] {
    return this.#slots.map((slot) => {
      if (slot.isVacant) return 'vacant';
      if (slot.running) return 'running';
      return slot.open === undefined ? 'starting' : 'idle';
    });
  }

  get lanesView(): { readonly total: number; readonly idle: number; readonly lost: number } {
    return { total: this.#slots.length, idle: this.#shifts.free.length, lost: this.#lost };
  }

  /** Lanes given up that are still inside the runtime. */
  get abandoned(): number {
    return this.#abandoned.count;
  }

  /** False when so many hang already that the next lane that does would not be replaced. */
  get sparesLanes(): boolean {
    return !this.#abandoned.isNearlyFull;
  }

  /** True when no lane is left and none will be started: each hangs in a thread that can't be ended. */
  get isStuck(): boolean {
    return this.#slots.length > 0 && this.#slots.every((slot) => slot.isVacant);
  }

  /** True while anything of it may be inside the runtime. */
  get isRunning(): boolean {
    return this.#abandoned.count > 0 || this.#slots.some((slot) => slot.running);
  }

  /** Lanes that can run the model of this key now. */
  lanesWith(key: string): number {
    return this.#slots.filter((slot) => slot.open?.has(key)).length;
  }

  /** Lanes that can run it, now or when they have restarted. */
  lanesFor(key: string): number {
    return this.#slots.filter((slot) => slot.open?.has(key) ?? !slot.isVacant).length;
  }

  /** Lanes that can run it this instant. */
  idleWith(key: string): number {
    return this.#shifts.free.filter((slot) => slot.open?.has(key)).length;
  }

  /** Process ids of the lanes that are processes. */
  get pids(): readonly number[] {
    return this.#slots.flatMap((slot) => slot.open?.pid ?? []);
  }

  /** Starts the lanes, once; resolves when all are there. */
  async start(): Promise<void> {
    const { lanes, open, limits, startTimeoutMs = 30_000, openTimeoutMs = 120_000 } = this.#deps;
    const onRestart = (reason: string): void => {
      this.#lost++;
      this.#deps.onRestart(reason);
    };
    const slot = {
      ...{ open, startTimeoutMs, onRestart },
      furnish: async (lane: Lane): Promise<void> => {
        await this.#furnishings.openAll(lane);
        if (this.#furnishings.refusedBy(lane).length > 0) this.#reopener.plan();
      },
      furnishTimeoutMs: (): number => openTimeoutMs * Math.max(1, this.#furnishings.size),
      room: (): Promise<void> | undefined => this.#abandoned.room(),
      onGone: (lane: Lane): void => this.#abandoned.add(lane),
      onVacant: (): void => {
        if (this.isStuck) this.#deps.onNoneLeft?.();
      },
      ...(limits === undefined ? {} : { limits }),
    };
    this.#slots = Array.from({ length: lanes }, () => new Slot(slot));
    this.#shifts.add(this.#slots);
    await Promise.all(this.#slots.map((slot) => slot.lane()));
  }

  /**
   * Asks for any free lane. Claims are alike, so more of them than lanes would do nothing; a claim starts after the
   * other arrivals of this turn of the event loop, so that they ride together.
   */
  requestLane = (): void => {
    if (this.#asked >= this.#deps.lanes) return;
    this.#asked++;
    setImmediate(() => this.#shifts.any((slot) => this.#claim(slot)));
  };

  /**
   * Opens and warms a model in every lane: one lane after the other while the rest serve, or all at once at start-up.
   * A lane that is replaced from now on opens it too.
   */
  async furnish(furnishing: Furnishing, atOnce: boolean): Promise<void> {
    this.#furnishings.set(furnishing);
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
    const [slot] = this.#shifts.free;
    if (slot === undefined || this.#shifts.free.length < this.#slots.length || this.#asked > 0)
      return undefined;
    return this.#onSlot(slot, work);
  }

  /** Ends all lanes between two runs. */
  async close(): Promise<void> {
    this.#reopener.close();
    await Promise.all(this.#slots.map((slot) => slot.close()));
  }

  /** Gives all lanes up at once, in a run or not. */
  discard(): void {
    this.#reopener.close();
    for (const slot of this.#slots) slot.discard('the gateway was closed');
  }

  async #claim(slot: Slot): Promise<void> {
    try {
      const lane = slot.open ?? (await slot.lane());
      // From here on new arrivals need a claim of their own: this one is about to look at the queue.
      this.#asked--;
      const ride = this.#deps.arbiter.dispatch(lane, (error) => this.#deps.onFault(messageOf(error)));
      if (ride === undefined) return;
      // Another model may have asked while this claim was the only one that could be asked for.
      if (this.#deps.arbiter.hasWork) this.requestLane();
      await ride;
      // Work may wait whose claim has another lane, which is restarting, or has not got the model: this one is free now.
      if (this.#deps.arbiter.hasWork) this.requestLane();
    } catch (error) {
      // Only a closed slot is WORKER_LOST here, and then no claim is needed any more.
      if (codeOf(error) !== 'WORKER_LOST') this.#deps.onFault(messageOf(error));
    }
  }

  #onSlot<T>(slot: Slot, work: (lane: Lane) => Promise<T>): Promise<T> {
    return this.#shifts.on(slot, async () => work(await slot.lane()));
  }

  /** Lane by lane, those that lack models. @returns whether some still do */
  async #reopen(): Promise<boolean> {
    const isLacking = ({ open }: Slot): boolean =>
      open !== undefined && this.#furnishings.refusedBy(open).length > 0;
    for (const slot of this.#slots.filter(isLacking))
      await this.#onSlot(slot, (lane) => this.#furnishings.openRefused(lane)).catch((error: unknown) => {
        // It died of it, and another one takes its place.
        if (codeOf(error) !== 'WORKER_LOST') this.#deps.onFault(messageOf(error));
      });
    return this.#slots.some(isLacking);
  }
}
