import { refuse } from './admission.js';
import { BatcherError } from './errors.js';
import { windowSize } from './plan.js';
import { Queue } from './queue.js';
import { Request, type Entry } from './request.js';
import { nextAttempt } from './retry.js';
import type {
  BatcherEvent,
  Clock,
  Group,
  Item,
  Knobs,
  PlanFn,
  QueuedItem,
  Ride,
  RunResult,
} from './types.js';

export interface BatcherDeps {
  readonly clock: Clock;
  readonly knobs: Knobs;
  readonly plan: PlanFn;
  /** Asks for any free lane; whoever grants it calls `ride`. May be called more often than needed. */
  readonly requestLane: () => void;
  readonly onEvent?: (event: BatcherEvent) => void;
}

/** One accepted request. */
export interface Ticket<R> {
  /** A ride for every item, in the order submitted; or the one error of the whole request. */
  readonly rides: Promise<Ride<R>[]>;
  /** The caller is gone: queued items leave at once, running ones are ignored when they come back. */
  cancel(): void;
}

/** Runs one batch in the lane that was granted. @throws anything with a `code`; `WORKER_LOST` when the lane died. */
export type RunGroup<P, R> = (payloads: readonly P[], group: Group) => Promise<RunResult<R>>;

/**
 * Collects items of one model and hands them to lanes, late: a batch exists only from the moment a lane is granted.
 *
 *   submit ─▶ queue ──(requestLane … granted)──▶ ride: plan(queue) ─▶ run ─┬─▶ each caller its own values
 *                ▲                                                         └─▶ failed: again, alone (retries)
 *                └── cancel, deadline: leave at once
 *
 * Every submit settles exactly once. The only state of batching is here; when and what to run is `plan`'s, pure.
 */
export class Batcher<P, R> {
  readonly #deps: BatcherDeps;
  readonly #queue = new Queue<Entry<P, R>>();
  /** Groups that ran and failed; they go first and are not mixed with others. */
  readonly #retries: Entry<P, R>[][] = [];
  #seq = 0;
  #running = 0;
  #draining = false;
  #msPerRow = 0;
  #cancelWake: (() => void) | undefined;
  readonly #drained: (() => void)[] = [];

  constructor(deps: BatcherDeps) {
    this.#deps = deps;
  }

  /** Rows waiting, retries included. */
  get queuedRows(): number {
    return this.#retries.reduce((rows, group) => rows + rowsOf(group), this.#queue.rows);
  }

  /** Arrival of the item that has waited longest; undefined when nothing waits. */
  get oldestArrivalMs(): number | undefined {
    const heads = this.#retries.map((group) => group[0]?.arrivedAt ?? Infinity);
    const oldest = Math.min(this.#queue.head?.arrivedAt ?? Infinity, ...heads);
    return oldest === Infinity ? undefined : oldest;
  }

  /**
   * Takes all items or none.
   * @param deadlineAt absolute time at which the request is answered DEADLINE_EXCEEDED; default never
   * @throws BatcherError QUEUE_FULL, PAYLOAD_TOO_LARGE or DRAINING
   */
  submit(items: readonly Item<P>[], deadlineAt = Infinity): Ticket<R> {
    const { clock, knobs } = this.#deps;
    const rows = rowsOf(items);
    const refusal = refuse(rows, this.queuedRows, this.#draining, this.#msPerRow, knobs);
    if (refusal !== undefined) {
      this.#emit({ type: 'refused', rows, code: refusal.code });
      throw new BatcherError(refusal.code, refusal.message, refusal.retryAfterSeconds);
    }
    const request = new Request<P, R>(items, deadlineAt, clock.now(), () => this.#seq++);
    for (const entry of request.entries) this.#queue.add(entry);
    this.#emit({ type: 'admitted', items: items.length, rows });
    if (items.length === 0) request.finish();
    if (deadlineAt !== Infinity && !request.settled)
      request.onSettled = clock.callAt(deadlineAt, () => this.#expire(request));
    // After all items are queued: whoever grants a lane synchronously must see the whole request.
    this.#deps.requestLane();
    return { rides: request.promise, cancel: () => this.#cancel(request) };
  }

  /**
   * A lane is free: forms one batch from what waits now and runs it.
   * @returns when the lane is free again; undefined when there is nothing to run (a wake-up is set if that will change)
   */
  ride(run: RunGroup<P, R>): Promise<void> | undefined {
    const group = this.#nextRetry() ?? this.#nextPlanned();
    if (group === undefined) {
      this.#settleDrain();
      return undefined;
    }
    const now = this.#deps.clock.now();
    for (const entry of group.items) {
      this.#queue.remove(entry);
      entry.dispatchedAt = now;
    }
    this.#running++;
    this.#emit({ type: 'dispatched', group, queueMs: group.items.map((entry) => now - entry.arrivedAt) });
    if (this.#queue.size > 0 || this.#retries.length > 0) this.#deps.requestLane();
    return this.#run(group, run);
  }

  /** Takes nothing new, finishes what is there (without holding back), resolves when idle. */
  drain(): Promise<void> {
    this.#draining = true;
    const drained = new Promise<void>((resolve) => this.#drained.push(resolve));
    this.#deps.requestLane();
    this.#settleDrain();
    return drained;
  }

  /** Ends everything that is still queued with DRAINING; for a drain whose deadline has passed. */
  abort(): void {
    this.#draining = true;
    const waiting = new Set([...this.#queue.window(Infinity), ...this.#retries.flat()]);
    for (const { request } of waiting)
      this.#reject(request, new BatcherError('DRAINING', 'shut down before this request could run'));
    this.#settleDrain();
  }

  #nextRetry(): Group<Entry<P, R>> | undefined {
    for (;;) {
      const entries = this.#retries.shift();
      if (entries === undefined) return undefined;
      const live = entries.filter((entry) => !entry.request.settled);
      if (live.length > 0) return groupOf(live);
    }
  }

  #nextPlanned(): Group<Entry<P, R>> | undefined {
    const { clock, knobs, plan } = this.#deps;
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    for (;;) {
      if (this.#queue.size === 0) return undefined;
      const window = this.#queue.window(windowSize(knobs));
      const decision = plan({ window, draining: this.#draining }, clock.now(), knobs);
      for (const { request } of decision.shed) this.#expire(request);
      if (decision.group !== undefined) return decision.group;
      if (decision.wakeAtMs !== undefined) {
        this.#cancelWake = clock.callAt(decision.wakeAtMs, this.#deps.requestLane);
        return undefined;
      }
      // Only a window of late items leaves neither a group nor a wake time; they are gone now, so look further.
      if (decision.shed.length === 0)
        throw new BatcherError(
          'INTERNAL',
          'the plan returned neither a group nor a wake time: a bug in plan',
        );
    }
  }

  async #run(group: Group<Entry<P, R>>, run: RunGroup<P, R>): Promise<void> {
    try {
      const result = await run(
        group.items.map((entry) => entry.payload),
        group,
      );
      if (result.values.length !== group.items.length)
        throw new BatcherError(
          'INTERNAL',
          `the lane returned ${result.values.length} results for ${group.items.length} items: a bug in the executor`,
        );
      this.#complete(group, result);
    } catch (error) {
      this.#fail(group, error);
    } finally {
      this.#running--;
      this.#settleDrain();
    }
  }

  #complete(group: Group<Entry<P, R>>, { values, runMs }: RunResult<R>): void {
    const perRow = runMs / group.rows;
    this.#msPerRow = this.#msPerRow === 0 ? perRow : 0.9 * this.#msPerRow + 0.1 * perRow;
    this.#emit({ type: 'completed', group, runMs });
    group.items.forEach((entry, i) => {
      const queueMs = entry.dispatchedAt - entry.arrivedAt;
      // The count was checked above; a hole in the values would be the lane's own `undefined`.
      entry.request.deliver(entry.index, { value: values[i] as R, queueMs, runMs, groupRows: group.rows });
    });
  }

  #fail(group: Group<Entry<P, R>>, error: unknown): void {
    const code = codeOf(error);
    const live = group.items.filter((entry) => !entry.request.settled);
    const attempt = nextAttempt(live, code, group.items.length === 1);
    this.#emit({ type: 'failed', group, code, retried: attempt.groups.length > 0 });
    this.#retries.push(...attempt.groups);
    for (const entry of attempt.guilty) this.#reject(entry.request, attempt.lost ?? error);
    if (attempt.groups.length > 0) this.#deps.requestLane();
  }

  #cancel(request: Request<P, R>): void {
    const rows = this.#reject(request, new BatcherError('CLIENT_GONE', 'the client is gone'));
    if (rows !== undefined) this.#emit({ type: 'cancelled', rows });
  }

  #expire(request: Request<P, R>): void {
    const waitedMs = Math.round(this.#deps.clock.now() - request.arrivedAt);
    const message = `no answer within the ${Math.round(request.deadlineAt - request.arrivedAt)} ms that the request had: waited ${waitedMs} ms with ${this.queuedRows} rows queued`;
    const rows = this.#reject(request, new BatcherError('DEADLINE_EXCEEDED', message));
    if (rows !== undefined) this.#emit({ type: 'expired', rows });
  }

  /** One error for the whole request: its queued items leave at once. @returns rows freed; undefined if settled before */
  #reject(request: Request<P, R>, error: unknown): number | undefined {
    if (request.settled) return undefined;
    request.fail(error);
    const freed = rowsOf(request.entries.filter((entry) => this.#queue.remove(entry)));
    this.#settleDrain();
    return freed;
  }

  #settleDrain(): void {
    if (!this.#draining || this.#running > 0 || this.#queue.size > 0) return;
    if (this.#retries.some((group) => group.some((entry) => !entry.request.settled))) return;
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #emit(event: BatcherEvent): void {
    this.#deps.onEvent?.(event);
  }
}

/** Errors come from other threads: `code` is all that they have in common. */
const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'INTERNAL';
};

const rowsOf = (items: readonly { readonly rows: number }[]): number =>
  items.reduce((rows, item) => rows + item.rows, 0);

const groupOf = <T extends QueuedItem>(items: readonly T[]): Group<T> => {
  const rows = rowsOf(items);
  const tokens = items.reduce((sum, item) => sum + item.rows * item.length, 0);
  return {
    items,
    rows,
    tokens,
    paddedTokens: rows * Math.max(...items.map((item) => item.length)),
    reason: 'retry',
  };
};
