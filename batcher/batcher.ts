import type { CostFit, CostModel } from './cost-model.js';
import { BatcherError, codeOf, messageOf } from './errors.js';
import { Intake } from './intake.js';
import { Load } from './load.js';
import { Request, type Entry } from './request.js';
import { nextAttempt } from './retry.js';
import type {
  BatcherEvent,
  Clock,
  Group,
  Item,
  Knobs,
  PlanFn,
  Ride,
  RunResult,
  Snapshot,
  SubmitOptions,
} from './types.js';
import { viewOf, type QueueView } from './queue-view.js';
import { isAlive, WaitingRoom } from './waiting-room.js';

/** The operator's knobs: a plan's, but for the SLO, which may follow the model's cost. */
export type BatcherKnobs = Omit<Knobs, 'sloMs'> & { readonly sloMs: number | 'auto' };

/** Lanes as the batcher sees them: shared with other models. */
export interface LanesView {
  readonly total: number;
  readonly idle: number;
  /** Lanes that have died since the start, of whatever. Default: none but those that this batcher's runs lost. */
  readonly lost?: number;
}

export interface BatcherDeps {
  readonly clock: Clock;
  readonly knobs: BatcherKnobs;
  readonly plan: PlanFn;
  readonly cost: CostModel;
  /** Length that a long item has; for the time before any has come. Default 1. */
  readonly usualLength?: number;
  readonly lanes: () => LanesView;
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

/** What of the queue a plan is shown: enough to compose a batch well, little enough to plan in microseconds. */
const WINDOW = 128;
const BULK_WINDOW = 32;

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
  readonly #load: Load;
  readonly #room = new WaitingRoom<P, R>();
  readonly #intake: Intake<P, R>;
  #running = 0;
  #draining = false;
  #cancelWake: (() => void) | undefined;
  readonly #drained: (() => void)[] = [];

  constructor(deps: BatcherDeps) {
    this.#deps = deps;
    this.#load = new Load(deps.cost, deps.knobs.sloMs, deps.usualLength);
    this.#intake = new Intake({
      room: this.#room,
      load: this.#load,
      maxBatch: deps.knobs.maxBatch,
      maxQueue: deps.knobs.maxQueue,
      shedding: deps.knobs.shedding,
      lanes: () => deps.lanes().total,
      emit: (event) => this.#emit(event),
    });
  }

  /** Rows waiting, those that run again included. */
  get queuedRows(): number {
    return this.#room.rows;
  }

  /** Arrival of the item that is next in line; undefined when nothing waits. */
  get oldestArrivalMs(): number | undefined {
    return this.#room.oldestArrivalMs;
  }

  get cost(): CostFit {
    return this.#load.fit;
  }

  /** What waits, by class and length; for people, not for the hot path. */
  queueView(): QueueView {
    return viewOf(this.#room.all());
  }

  /** Length at the 95th percentile of what came lately. */
  get referenceLength(): number {
    return this.#load.referenceLength;
  }

  /** The SLO in use, milliseconds; `auto` resolved. */
  get sloMs(): number {
    return this.#load.sloMs;
  }

  /** Takes all items or none. @throws BatcherError QUEUE_FULL, PAYLOAD_TOO_LARGE or DRAINING */
  submit(items: readonly Item<P>[], options: SubmitOptions = {}): Ticket<R> {
    const { deadlineAt = Infinity } = options;
    const now = this.#deps.clock.now();
    this.#intake.admit(items, deadlineAt - now, this.#draining);
    const request = new Request<P, R>(items.length, deadlineAt, now);
    this.#intake.board(request, items, options, now);
    if (deadlineAt !== Infinity && !request.settled)
      request.onSettled = this.#deps.clock.callAt(deadlineAt, () => this.#expire(request));
    // After all items are queued: whoever grants a lane synchronously must see the whole request.
    this.#deps.requestLane();
    return { rides: request.promise, cancel: () => this.#cancel(request) };
  }

  /**
   * A lane is free: forms one batch from what waits now and runs it.
   * @returns when the lane is free again; undefined when there is nothing to run (a wake-up is set if that will change)
   * @throws whatever keeps a batch from being formed, a bug; what was to ride has then ended with INTERNAL
   */
  ride(run: RunGroup<P, R>): Promise<void> | undefined {
    let group: Group<Entry<P, R>> | undefined;
    try {
      group = this.#room.nextRetry() ?? this.#nextPlanned();
      if (group !== undefined) return this.#dispatch(group, run);
      this.#settleDrain();
      return undefined;
    } catch (error) {
      // The head of the line at least: asked again with the same queue, it would end the same way, for ever.
      this.#fault(group?.items ?? this.#room.window(1, 1).slice(0, 1), error);
      throw error;
    }
  }

  #dispatch(group: Group<Entry<P, R>>, run: RunGroup<P, R>): Promise<void> {
    const now = this.#deps.clock.now();
    for (const entry of group.items) {
      this.#room.take(entry);
      this.#intake.served(entry);
      entry.dispatchedAt = now;
    }
    const queueMs = group.items.map((entry) => now - entry.arrivedAt);
    const predictedMs = this.#load.predictMs(group);
    this.#emit({ type: 'dispatched', group, queueMs, predictedMs, waiting: this.#room.size });
    if (!this.#room.isEmpty) this.#deps.requestLane();
    return this.#run(group, predictedMs, run);
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
    const requests = new Set(this.#room.all().flatMap((entry) => entry.riders.map((rider) => rider.request)));
    for (const request of requests)
      this.#reject(request, new BatcherError('DRAINING', 'shut down before this request could run'));
    this.#settleDrain();
  }

  #nextPlanned(): Group<Entry<P, R>> | undefined {
    const { clock, plan, knobs } = this.#deps;
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    for (;;) {
      if (this.#room.size === 0) return undefined;
      const now = clock.now();
      const decision = plan(this.#snapshot(now), now, { ...knobs, sloMs: this.#load.sloMs });
      for (const entry of decision.shed) for (const { request } of [...entry.riders]) this.#expire(request);
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

  #snapshot(now: number): Snapshot<Entry<P, R>> {
    const { basis, coefficients } = this.#load.fit;
    return {
      window: this.#room.window(WINDOW, BULK_WINDOW),
      waiting: this.#room.size,
      waitingRows: this.#room.queuedRows,
      idleLanes: Math.max(1, this.#deps.lanes().idle),
      utilisation: this.#load.utilisation(now),
      cost: { basis, coefficients, trusted: this.#load.trusted },
      draining: this.#draining,
    };
  }

  async #run(group: Group<Entry<P, R>>, predictedMs: number, run: RunGroup<P, R>): Promise<void> {
    this.#running++;
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
      this.#complete(group, predictedMs, result);
    } catch (error) {
      this.#fail(group, error);
    } finally {
      this.#running--;
      this.#settleDrain();
    }
  }

  #complete(group: Group<Entry<P, R>>, predictedMs: number, { values, runMs, laneMs }: RunResult<R>): void {
    const aloneMs = group.items.reduce((sum, entry) => sum + entry.aloneMs, 0);
    this.#load.ran(group, aloneMs, laneMs);
    this.#emit({ type: 'completed', group, runMs, laneMs, predictedMs });
    group.items.forEach((entry, i) => {
      this.#room.close(entry);
      for (const { request, index } of entry.riders) {
        const queueMs = Math.max(0, entry.dispatchedAt - request.arrivedAt);
        // The count was checked above; a hole in the values would be the lane's own `undefined`.
        request.deliver(index, { value: values[i] as R, queueMs, runMs, groupRows: group.rows });
      }
    });
  }

  #fail(group: Group<Entry<P, R>>, error: unknown): void {
    const code = codeOf(error);
    const lanesLost = this.#deps.lanes().lost;
    const attempt = nextAttempt(group.items.filter(isAlive), code, group.items.length === 1, lanesLost);
    this.#emit({ type: 'failed', group, code, retried: attempt.groups.length > 0 });
    this.#room.retry(attempt.groups);
    for (const entry of attempt.guilty)
      for (const { request } of [...entry.riders]) this.#reject(request, attempt.lost ?? error);
    if (attempt.groups.length > 0) this.#deps.requestLane();
  }

  #fault(entries: readonly Entry<P, R>[], error: unknown): void {
    const failure = new BatcherError('INTERNAL', `no batch could be formed: ${messageOf(error)}`);
    for (const entry of entries) for (const { request } of [...entry.riders]) this.#reject(request, failure);
    if (!this.#room.isEmpty) this.#deps.requestLane();
  }

  #cancel(request: Request<P, R>): void {
    const rows = this.#reject(request, new BatcherError('CLIENT_GONE', 'the client is gone'));
    if (rows !== undefined) this.#emit({ type: 'cancelled', rows });
  }

  #expire(request: Request<P, R>): void {
    const ms = (value: number): string => `${Math.round(value)} ms`;
    const waited = ms(this.#deps.clock.now() - request.arrivedAt);
    const ahead = `${this.queuedRows} rows queued, ${ms(this.#load.drainMs(this.#room.queuedAloneMs))} of work`;
    const had = ms(request.deadlineAt - request.arrivedAt);
    const message = `no answer within the ${had} that the request had: waited ${waited}; ${ahead}`;
    const rows = this.#reject(request, new BatcherError('DEADLINE_EXCEEDED', message));
    if (rows !== undefined) this.#emit({ type: 'expired', rows });
  }

  /** One error for the whole request; entries without another rider leave. @returns rows freed; undefined if settled before */
  #reject(request: Request<P, R>, error: unknown): number | undefined {
    if (request.settled) return undefined;
    request.fail(error);
    let freed = 0;
    for (const entry of request.entries) {
      entry.riders = entry.riders.filter((rider) => rider.request !== request);
      if (isAlive(entry)) continue;
      this.#room.close(entry);
      if (this.#room.take(entry)) freed += entry.rows;
    }
    this.#settleDrain();
    return freed;
  }

  #settleDrain(): void {
    if (!this.#draining || this.#running > 0 || !this.#room.isEmpty) return;
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #emit(event: BatcherEvent): void {
    this.#deps.onEvent?.(event);
  }
}
