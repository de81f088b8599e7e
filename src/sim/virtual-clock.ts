import type { Clock } from '#batcher';
import { EventHeap } from './event-heap.js';

/** Time that moves only from event to event. */
export class VirtualClock implements Clock {
  readonly #events = new EventHeap();
  #now = 0;

  now(): number {
    return this.#now;
  }

  /** Time of the next timer; undefined without one. */
  get nextAt(): number | undefined {
    return this.#events.nextAt;
  }

  callAt(atMs: number, fn: () => void): () => void {
    return this.#events.add(atMs, fn);
  }

  moveTo(atMs: number): void {
    this.#now = Math.max(this.#now, atMs);
  }

  fireNext(): void {
    const event = this.#events.take();
    if (event === undefined) return;
    this.moveTo(event.atMs);
    event.fn();
  }
}
