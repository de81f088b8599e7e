import { planFifo, type Group, type PlanFn, type QueuedItem, type Snapshot } from '#batcher';

/** First come, first served, up to `size` rows; a lane that is free takes what is there (Triton with no delay). */
export const fifo =
  (size: number): PlanFn =>
  (snapshot, now, knobs) =>
    planFifo(snapshot, now, { ...knobs, maxBatch: Math.min(knobs.maxBatch, size), maxWaitMs: 0 });

/** Each item alone, in order of arrival. */
export const noBatching: PlanFn = (snapshot, now, knobs) =>
  planFifo(snapshot, now, { ...knobs, join: false, maxWaitMs: 0 });

/** First come, first served until rows x longest would exceed the budget (text-embeddings-inference `queue.rs`). */
export const tokenBudget =
  (tokens: number): PlanFn =>
  (snapshot, now, knobs) =>
    planFifo(snapshot, now, { ...knobs, maxBatchTokens: tokens, maxWaitMs: 0 });

/**
 * A timer window: opens with its first item, closes when `size` items are in it or after `waitMs`, and is then frozen,
 * whenever a lane takes it (LitServe, MLServer, TorchServe, Ray Serve). Windows are taken whole and in order, so the
 * oldest item is always the first of its window and the window can be told from arrivals alone.
 */
export const timerWindow =
  (size: number, waitMs: number): PlanFn =>
  (snapshot, now) => {
    const head = snapshot.window[0];
    if (head === undefined) return { shed: [] };
    const closesAt = head.arrivedAt + waitMs;
    const inside = take(snapshot.window, size, (item) => item.arrivedAt <= closesAt);
    if (inside.length < size && now < closesAt && !snapshot.draining) return { shed: [], wakeAtMs: closesAt };
    return { shed: [], group: groupOf(inside) };
  };

/** Length buckets by powers of two; the one with the oldest item goes, up to `size` rows of it. */
export const staticBuckets =
  (size: number): PlanFn =>
  (snapshot) => {
    const head = snapshot.window[0];
    if (head === undefined) return { shed: [] };
    const bucket = bucketOf(head.length);
    return {
      shed: [],
      group: groupOf(take(snapshot.window, size, (item) => bucketOf(item.length) === bucket)),
    };
  };

const bucketOf = (length: number): number => Math.ceil(Math.log2(length));

/** Batches' worth that infinity takes out of its queue at a time. */
const SLAB_BATCHES = 8;

/**
 * Takes up to 8 full batches' worth in order of arrival, sorts them by length, cuts them into batches of `size`, and runs
 * those before it looks at the queue again (infinity `queue.py`). Remembers its slab: a plan of its own for every play.
 * It sees no more of the queue than a plan's window.
 */
export const sortedSlabs = (size: number): PlanFn => {
  const slab: number[][] = [];
  return (snapshot) => {
    const { window } = snapshot;
    if (window.length === 0) return { shed: [] };
    if (slab.length === 0) {
      const batches = Math.min(SLAB_BATCHES, Math.max(1, Math.floor(window.length / size)));
      const sorted = window.slice(0, batches * size).sort((a, b) => a.length - b.length);
      for (let at = 0; at < sorted.length; at += size)
        slab.push(sorted.slice(at, at + size).map(({ seq }) => seq));
    }
    const next = new Set(slab.shift());
    const group = window.filter(({ seq }) => next.has(seq));
    return { shed: [], group: groupOf(group) };
  };
};

/** BentoML's constants: runs that its fit remembers, its tick, and its share of the usual wait. */
const FIT_RUNS = 50;
const TICK_MS = 1;
const WAIT_DECAY = 0.95;

/**
 * BentoML's adaptive rule (`dispatcher.py`): fits T = a * rows + b by least squares over the last 50 runs and holds back
 * while rows x (age of the newest + tick + a) stays below 0.95 of the mean wait. Kinder than the original: oldest first,
 * nothing killed by prediction, refitted after every run. Remembers its runs: a plan of its own for every play.
 */
export const bentoFit = (size: number, runMs: (group: Group, snapshot: Snapshot) => number): PlanFn => {
  const runs: { readonly rows: number; readonly ms: number; readonly waitMs: number }[] = [];
  return (snapshot, now) => {
    const { window } = snapshot;
    const head = window[0];
    if (head === undefined) return { shed: [] };
    const newestAge = now - (window.at(-1)?.arrivedAt ?? now);
    const meanWaitMs = runs.reduce((sum, run) => sum + run.waitMs, 0) / Math.max(1, runs.length);
    const hold = window.length * (newestAge + TICK_MS + slope(runs)) <= meanWaitMs * WAIT_DECAY;
    if (window.length < size && hold && !snapshot.draining) return { shed: [], wakeAtMs: now + TICK_MS };
    const group = groupOf(window.slice(0, size));
    runs.push({ rows: group.rows, ms: runMs(group, snapshot), waitMs: now - head.arrivedAt });
    if (runs.length > FIT_RUNS) runs.shift();
    return { shed: [], group };
  };
};

/** Least-squares slope of time over rows, at least a little. */
const slope = (runs: readonly { readonly rows: number; readonly ms: number }[]): number => {
  const n = runs.length;
  const rows = runs.reduce((sum, run) => sum + run.rows, 0);
  const ms = runs.reduce((sum, run) => sum + run.ms, 0);
  const squares = runs.reduce((sum, run) => sum + run.rows * run.rows, 0);
  const products = runs.reduce((sum, run) => sum + run.rows * run.ms, 0);
  const spread = n * squares - rows * rows;
  return spread <= 0 ? 0 : Math.max(1e-3, (n * products - rows * ms) / spread);
};

/** The first `size` items that fit in, in order. */
const take = <T extends QueuedItem>(window: readonly T[], size: number, fits: (item: T) => boolean): T[] => {
  const taken: T[] = [];
  for (const item of window) {
    if (taken.length >= size) break;
    if (fits(item)) taken.push(item);
  }
  return taken;
};

const groupOf = <T extends QueuedItem>(items: readonly T[]): Group<T> => {
  const rows = items.reduce((sum, item) => sum + item.rows, 0);
  const tokens = items.reduce((sum, item) => sum + item.rows * item.length, 0);
  const longest = items.reduce((most, item) => Math.max(most, item.length), 0);
  return { items, rows, tokens, longest, paddedTokens: rows * longest, reason: 'lane_free' };
};
