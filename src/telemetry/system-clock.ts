import type { Clock } from '#batcher';

/** Node's own timers; replaced in tests. */
export interface TimerHost {
  now(): number;
  /** @returns what cancels it */
  after(delayMs: number, fn: () => void): () => void;
}

/** Longest delay that Node's setTimeout takes; above it fires after 1 ms. */
const MAX_DELAY_MS = 2 ** 31 - 1;

const nodeTimers: TimerHost = {
  now: () => performance.now(),
  after: (delayMs, fn) => {
    if (delayMs <= 0) {
      const immediate = setImmediate(fn);
      return () => clearImmediate(immediate);
    }
    const timeout = setTimeout(fn, delayMs);
    return () => clearTimeout(timeout);
  },
};

/**
 * The batcher's clock: monotonic milliseconds since the process started. `callAt` never calls early and never
 * synchronously; `Infinity` is never.
 */
export const createSystemClock = (timers: TimerHost = nodeTimers): Clock => ({
  now: () => timers.now(),
  callAt: (atMs, fn) => {
    if (atMs === Infinity) return () => undefined;
    let cancel: () => void;
    const arm = (): void => {
      cancel = timers.after(Math.min(Math.ceil(atMs - timers.now()), MAX_DELAY_MS), fire);
    };
    const fire = (): void => {
      // Node's timers count whole milliseconds of the loop's own time: they fire up to 1 ms early.
      if (timers.now() < atMs) arm();
      else fn();
    };
    arm();
    return () => cancel();
  },
});
