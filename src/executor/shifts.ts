import PQueue from 'p-queue';
import type { Slot } from './slot.js';

/** Must not reject. */
type Job = (slot: Slot) => Promise<void>;

/**
 * Who has which slot, and for how long. A started job has one token of the queue and one slot, or ends at once; so a
 * starting job always finds a free slot, and one that waits for a particular slot keeps no other lane idle.
 *
 *   any(job) ───────▶ p-queue (concurrency = lanes) ─▶ a free slot ─▶ job ─▶ jobs left at this slot ─▶ slot free again
 *   on(slot, job) ──▶ p-queue, ahead of `any` ───────▶ that slot, if it is free: as above
 *                                                      └─ else left there, for whoever has it to do afterwards
 */
export class Shifts {
  readonly #queue: PQueue;
  readonly #onEnd: (slot: Slot) => void;
  readonly #free: Slot[] = [];
  readonly #left = new Map<Slot, Job[]>();

  /** @param onEnd told after each job, before the next one has its slot */
  constructor(lanes: number, onEnd: (slot: Slot) => void) {
    this.#queue = new PQueue({ concurrency: lanes });
    this.#onEnd = onEnd;
  }

  /** Slots that nobody has, the one that is free for longest first. */
  get free(): readonly Slot[] {
    return this.#free;
  }

  add(slots: readonly Slot[]): void {
    this.#free.push(...slots);
  }

  any(job: Job): void {
    void this.#queue.add(() => this.#do(this.#take(), job));
  }

  /** Runs `work` with this slot, alone there. */
  on<T>(slot: Slot, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const job = (): Promise<void> => work().then(resolve, reject);
      void this.#queue.add(() => this.#start(slot, job), { priority: 1 });
    });
  }

  async #start(slot: Slot, job: Job): Promise<void> {
    const index = this.#free.indexOf(slot);
    if (index < 0) {
      this.#left.set(slot, [...(this.#left.get(slot) ?? []), job]);
      return;
    }
    this.#free.splice(index, 1);
    await this.#do(slot, job);
  }

  async #do(slot: Slot, job: Job): Promise<void> {
    for (let next: Job | undefined = job; next !== undefined; next = this.#left.get(slot)?.shift()) {
      await next(slot);
      this.#onEnd(slot);
    }
    this.#free.push(slot);
  }

  /** A slot that can run at once before one whose lane is restarting. */
  #take(): Slot {
    const index = this.#free.findIndex((slot) => slot.open !== undefined);
    const [slot] = this.#free.splice(Math.max(0, index), 1);
    if (slot === undefined) throw new RangeError('no free lane for a started job: a bug in executor/shifts');
    return slot;
  }
}
