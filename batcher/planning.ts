import { BatcherError } from './errors.js';
import type { Load } from './load.js';
import type { Entry, Request } from './request.js';
import type { Returns } from './returns.js';
import type { Clock, EchoView, Group, Knobs, LanesView, PlanFn, Snapshot } from './types.js';
import type { WaitingRoom } from './waiting-room.js';

/** What of the queue a plan is shown: enough to compose a batch well, little enough to plan in microseconds. */
const WINDOW = 128;
/** Of bulk items, where interactive ones come too. */
const BULK_WINDOW = 32;

export interface PlanningDeps<P, R> {
  readonly clock: Clock;
  readonly plan: PlanFn;
  readonly knobs: Omit<Knobs, 'sloMs'>;
  readonly room: WaitingRoom<P, R>;
  readonly load: Load;
  readonly lanes: () => LanesView;
  /** Only where the echo hold is on. */
  readonly returns: Returns | undefined;
  readonly requestLane: () => void;
  /** A request that the plan has shed. */
  readonly expire: (request: Request<P, R>) => void;
}

/** Asks the plan: shows it the queue, drops what it sheds, and wakes up when it wants to be asked again. */
export class Planning<P, R> {
  readonly #deps: PlanningDeps<P, R>;
  #cancelWake: (() => void) | undefined;
  /** Since when something is held back; undefined when nothing is. */
  #heldSinceMs: number | undefined;

  constructor(deps: PlanningDeps<P, R>) {
    this.#deps = deps;
  }

  /** What to run now in the lane that was granted; undefined for nothing (a wake-up is set if that will change). */
  next(draining: boolean): Group<Entry<P, R>> | undefined {
    const { clock, plan, knobs, room, load, requestLane, expire } = this.#deps;
    this.#stopWake();
    for (;;) {
      if (room.size === 0) {
        this.#heldSinceMs = undefined;
        return undefined;
      }
      const now = clock.now();
      const decision = plan(this.#snapshot(now, draining), now, { ...knobs, sloMs: load.sloMs });
      for (const entry of decision.shed) for (const { request } of [...entry.riders]) expire(request);
      if (decision.group !== undefined) {
        this.#heldSinceMs = undefined;
        return decision.group;
      }
      if (decision.wakeAtMs !== undefined) {
        this.#heldSinceMs ??= now;
        this.#cancelWake = clock.callAt(decision.wakeAtMs, requestLane);
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

  /** Nothing waits any more: no timer stays, and what comes next has not been held yet. */
  rest(): void {
    this.#stopWake();
    this.#heldSinceMs = undefined;
  }

  #stopWake(): void {
    this.#cancelWake?.();
    this.#cancelWake = undefined;
  }

  #snapshot(now: number, draining: boolean): Snapshot<Entry<P, R>> {
    const { room, load, lanes } = this.#deps;
    const { basis, coefficients } = load.fit;
    const echo = this.#echo(now);
    const quiet = load.isQuiet(now);
    return {
      window: room.window(WINDOW, quiet ? WINDOW : BULK_WINDOW),
      waiting: room.size,
      waitingRows: room.queuedRows,
      idleLanes: 1 + lanes().idle,
      utilisation: load.utilisation(now),
      quiet,
      cost: { basis, coefficients, trusted: load.trusted },
      draining,
      ...(echo === undefined ? {} : { echo }),
    };
  }

  #echo(now: number): EchoView | undefined {
    const { returns, knobs, load } = this.#deps;
    if (returns === undefined) return undefined;
    const heldMs = this.#heldSinceMs === undefined ? 0 : now - this.#heldSinceMs;
    return {
      heldMs,
      referenceLength: load.referenceLength,
      returns: returns.expected(now, knobs.echoHoldMs - heldMs),
    };
  }
}
