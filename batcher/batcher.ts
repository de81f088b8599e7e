import type { CostFit, CostModel } from './cost-model.js';
import { BatcherError } from './errors.js';
import { Intake, rowsOf } from './intake.js';
import { Load } from './load.js';
import { Planning } from './planning.js';
import { viewOf, type QueueView } from './queue-view.js';
import { announce, Request, type Entry } from './request.js';
import { Returns } from './returns.js';
import { Settling } from './settling.js';
import type {
  BatcherEvent,
  Clock,
  Group,
  Item,
  Knobs,
  LanesView,
  PlanFn,
  Ride,
  RunResult,
  SubmitOptions,
} from './types.js';
import { WaitingRoom } from './waiting-room.js';

/** The operator's knobs: a plan's, but for the SLO, which may follow the model's cost. */
export type BatcherKnobs = Omit<Knobs, 'sloMs'> & { readonly sloMs: number | 'auto' };

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

const ONE_CALLER = '';

/** Runs one batch in the lane that was granted. @throws anything with a `code`; `WORKER_LOST` when the lane died, with `hung: true` where it took too long. */
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
  readonly #load: Load;
  readonly #room = new WaitingRoom<P, R>();
  readonly #intake: Intake<P, R>;
  readonly #planning: Planning<P, R>;
  readonly #settling: Settling<P, R>;
  /** Learns who comes back how soon; only where the echo hold is on. */
  readonly #returns: Returns | undefined;
  #running = 0;
  #draining = false;
  readonly #drained: (() => void)[] = [];

  constructor(deps: BatcherDeps) {
    const { clock, knobs, plan, lanes, requestLane } = deps;
    this.#deps = deps;
    this.#load = new Load(deps.cost, knobs.sloMs, deps.usualLength);
    this.#returns = knobs.echoHoldMs > 0 ? new Returns() : undefined;
    const parts = {
      ...{ clock, room: this.#room, load: this.#load, returns: this.#returns },
      emit: (event: BatcherEvent) => this.#emit(event),
    };
    this.#intake = new Intake({
      ...parts,
      maxBatch: knobs.maxBatch,
      maxQueue: knobs.maxQueue,
      shedding: knobs.shedding,
      lanes: () => lanes().total,
    });
    this.#settling = new Settling({
      ...parts,
      lanesLost: () => lanes().lost,
      onFreed: () => this.#settleDrain(),
    });
    this.#planning = new Planning({
      ...{ ...parts, plan, knobs, lanes, requestLane },
      expire: (request) => this.#settling.expire(request),
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

  /**
   * Takes all items or none.
   * @param onRide hears of every item as soon as its ride is in; must not throw
   * @throws BatcherError QUEUE_FULL, PAYLOAD_TOO_LARGE or DRAINING
   */
  submit(
    items: readonly Item<P>[],
    options: SubmitOptions = {},
    onRide?: (index: number, ride: Ride<R>) => void,
  ): Ticket<R> {
    const { deadlineAt = Infinity, caller = ONE_CALLER, onRun } = options;
    const now = this.#deps.clock.now();
    this.#returns?.came(caller, now);
    this.#intake.admit(items, deadlineAt - now, this.#draining);
    const request = new Request<P, R>(items.length, deadlineAt, now, caller, onRide, onRun);
    const sharedRows = this.#intake.board(request, items, options.priority, now);
    if (deadlineAt !== Infinity && !request.settled)
      request.onSettled = this.#deps.clock.callAt(deadlineAt, () => this.#settling.expire(request));
    // After all items are queued: whoever grants a lane synchronously must see the whole request.
    this.#deps.requestLane();
    this.#emit({ type: 'admitted', items: items.length, rows: rowsOf(items) });
    if (sharedRows > 0) this.#emit({ type: 'shared', rows: sharedRows });
    return { rides: request.promise, cancel: () => this.#settling.cancel(request) };
  }

  /**
   * A lane is free: forms one batch from what waits now and runs it.
   * @returns when the lane is free again; undefined when there is nothing to run (a wake-up is set if that will change)
   * @throws whatever keeps a batch from being formed, a bug; what was to ride has then ended with INTERNAL
   */
  ride(run: RunGroup<P, R>): Promise<void> | undefined {
    let group: Group<Entry<P, R>> | undefined;
    try {
      group = this.#room.nextRetry() ?? this.#planning.next(this.#draining);
      if (group !== undefined) return this.#dispatch(group, run);
      this.#settleDrain();
      return undefined;
    } catch (error) {
      // The head of the line at least: asked again with the same queue, it would end the same way, for ever.
      this.#settling.fault(group?.items ?? this.#room.window(1, 1).slice(0, 1), error);
      if (!this.#room.isEmpty) this.#deps.requestLane();
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
    const waiting = this.#room.size;
    const done = this.#run(group, predictedMs, run);
    // The lane is at work: what follows costs nobody time.
    if (!this.#room.isEmpty) this.#deps.requestLane();
    this.#emit({ type: 'dispatched', group, queueMs, predictedMs, waiting });
    announce(group);
    return done;
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
    this.rejectWaiting(new BatcherError('DRAINING', 'shut down before this request could run'));
    this.#settleDrain();
  }

  /** Ends everything that is queued, what is to run again included, with this error. */
  rejectWaiting(error: unknown): void {
    const requests = new Set(this.#room.all().flatMap((entry) => entry.riders.map((rider) => rider.request)));
    for (const request of requests) this.#settling.reject(request, error);
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
      this.#settling.complete(group, predictedMs, result);
    } catch (error) {
      if (this.#settling.fail(group, error)) this.#deps.requestLane();
    } finally {
      this.#running--;
      this.#settleDrain();
    }
  }

  #settleDrain(): void {
    if (!this.#room.isEmpty) return;
    this.#planning.rest();
    if (!this.#draining || this.#running > 0) return;
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #emit(event: BatcherEvent): void {
    this.#deps.onEvent?.(event);
  }
}
