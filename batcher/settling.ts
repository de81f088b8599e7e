import { retryAfterOf } from './admission.js';
import { BatcherError, codeOf, isHung, messageOf } from './errors.js';
import type { Load } from './load.js';
import { announce, type Entry, type Request } from './request.js';
import { nextAttempt } from './retry.js';
import type { Returns } from './returns.js';
import type { BatcherEvent, Clock, Group, RunResult } from './types.js';
import { unpaddedMs } from './waste.js';
import { isAlive, type WaitingRoom } from './waiting-room.js';

export interface SettlingDeps<P, R> {
  readonly clock: Clock;
  readonly room: WaitingRoom<P, R>;
  readonly load: Load;
  /** Only where the echo hold is on. */
  readonly returns: Returns | undefined;
  readonly emit: (event: BatcherEvent) => void;
  /** See LanesView.lost. */
  readonly lanesLost: () => number | undefined;
  /** Something has left the room without a run. */
  readonly onFreed: () => void;
}

/** How requests end: with a ride for every item, or with one error for the whole request; each exactly once. */
export class Settling<P, R> {
  readonly #deps: SettlingDeps<P, R>;

  constructor(deps: SettlingDeps<P, R>) {
    this.#deps = deps;
  }

  /** A batch has run: each rider gets its own values. */
  complete(group: Group<Entry<P, R>>, predictedMs: number, { values, runMs, laneMs }: RunResult<R>): void {
    const { clock, room, load, returns, emit } = this.#deps;
    const aloneMs = group.items.reduce((sum, entry) => sum + entry.aloneMs, 0);
    // Before this run is learnt from: it would tell of itself.
    const { basis, coefficients } = load.fit;
    const event = { group, runMs, laneMs, predictedMs, unpaddedMs: unpaddedMs(coefficients, basis, group) };
    const now = clock.now();
    const dispatchedAt = group.items[0]?.dispatchedAt ?? now;
    load.ran(group, { aloneMs, laneMs, heldMs: now - dispatchedAt });
    // Again: an equal input may have joined while it ran.
    announce(group);
    emit({ type: 'completed', ...event });
    group.items.forEach((entry, i) => {
      room.close(entry);
      for (const { request, index } of entry.riders) {
        const queueMs = Math.max(0, entry.dispatchedAt - request.arrivedAt);
        // The batcher has checked the count; a hole in the values would be the lane's own `undefined`.
        const ride = { value: values[i] as R, queueMs, runMs, groupRows: group.rows };
        if (request.deliver(index, ride)) returns?.answered(request.caller, now);
      }
    });
  }

  /** A batch has failed: some of it is left to run again, the guilty end. @returns whether any runs again */
  fail(group: Group<Entry<P, R>>, error: unknown): boolean {
    const { room, emit, lanesLost } = this.#deps;
    const code = codeOf(error);
    const live = group.items.filter(isAlive);
    const failure = { code, hung: isHung(error) };
    const attempt = nextAttempt(live, failure, group.items.length === 1, lanesLost());
    const retried = attempt.groups.length > 0;
    announce(group);
    emit({ type: 'failed', group, code, retried });
    room.retry(attempt.groups);
    for (const entry of attempt.guilty)
      for (const { request } of [...entry.riders]) this.reject(request, attempt.lost ?? error);
    return retried;
  }

  /** A bug kept a batch from being formed: those that it was for end. */
  fault(entries: readonly Entry<P, R>[], error: unknown): void {
    const failure = new BatcherError('INTERNAL', `no batch could be formed: ${messageOf(error)}`);
    for (const entry of entries) for (const { request } of [...entry.riders]) this.reject(request, failure);
  }

  cancel(request: Request<P, R>): void {
    const rows = this.reject(request, new BatcherError('CLIENT_GONE', 'the client is gone'));
    if (rows !== undefined) this.#deps.emit({ type: 'cancelled', rows });
  }

  /** Its deadline has passed, or will before it could be answered. */
  expire(request: Request<P, R>): void {
    const { clock, room, load, emit } = this.#deps;
    const ms = (value: number): string => `${Math.round(value)} ms`;
    const waited = ms(clock.now() - request.arrivedAt);
    const drainMs = load.drainMs(room.queuedAloneMs);
    const ahead = `${room.rows} rows queued, ${ms(drainMs)} of work`;
    const hadMs = request.deadlineAt - request.arrivedAt;
    // Time counts from the caller's first byte: a slow body or a long text may have used it up.
    const message =
      hadMs <= 0
        ? `the request's time was over ${ms(-hadMs)} before it could be queued`
        : `no answer within the ${ms(hadMs)} that the request had left: waited ${waited}; ${ahead}`;
    const failure = new BatcherError('DEADLINE_EXCEEDED', message, retryAfterOf(drainMs));
    const rows = this.reject(request, failure);
    if (rows !== undefined) emit({ type: 'expired', rows });
  }

  /** One error for the whole request; entries without another rider leave. @returns rows freed; undefined if settled before */
  reject(request: Request<P, R>, error: unknown): number | undefined {
    if (request.settled) return undefined;
    const { room, onFreed } = this.#deps;
    request.fail(error);
    let freed = 0;
    for (const entry of request.entries) {
      entry.riders = entry.riders.filter((rider) => rider.request !== request);
      if (isAlive(entry)) continue;
      room.close(entry);
      if (room.take(entry)) freed += entry.rows;
    }
    onFreed();
    return freed;
  }
}
