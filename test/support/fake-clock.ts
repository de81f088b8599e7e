import type { Clock } from '#batcher';

/** A clock that stands still until told. Settles pending promises before and after every step. */
export class FakeClock implements Clock {
  #now = 0;
  #nextId = 0;
  readonly #timers = new Map<number, { atMs: number; fn: () => void }>();

  now(): number {
    return this.#now;
  }

  callAt(atMs: number, fn: () => void): () => void {
    const id = this.#nextId++;
    this.#timers.set(id, { atMs, fn });
    return () => this.#timers.delete(id);
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves to `now + ms`, firing what is due in order. @throws when timers re-arm without progress */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settle();
    for (let fired = 0; ; fired++) {
      if (fired > 10_000) throw new Error('timers re-arm for ever');
      const due = [...this.#timers].filter(([, timer]) => timer.atMs <= until).sort(byTime)[0];
      if (due === undefined) break;
      const [id, timer] = due;
      this.#timers.delete(id);
      this.#now = Math.max(this.#now, timer.atMs);
      timer.fn();
      await settle();
    }
    this.#now = until;
    await settle();
  }
}

const byTime = ([idA, a]: [number, { atMs: number }], [idB, b]: [number, { atMs: number }]): number =>
  a.atMs - b.atMs || idA - idB;

/** Lets every promise that can settle do so. */
export const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};
