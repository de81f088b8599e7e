import { refuse } from './admission.js';
import { BatcherError } from './errors.js';
import { FairKeys } from './fair-keys.js';
import type { Load } from './load.js';
import type { Entry, Request } from './request.js';
import type { BatcherEvent, Item } from './types.js';
import type { WaitingRoom } from './waiting-room.js';

export interface IntakeDeps<P, R> {
  readonly room: WaitingRoom<P, R>;
  readonly load: Load;
  readonly maxBatch: number;
  readonly maxQueue: number;
  readonly shedding: boolean;
  readonly lanes: () => number;
  readonly emit: (event: BatcherEvent) => void;
}

/** A level of priority is never worth more than this, whatever the SLO. */
const MAX_LEVEL_MS = 10_000;

/** The way in: the door, and a place in the queue for every item that is let in. */
export class Intake<P, R> {
  readonly #deps: IntakeDeps<P, R>;
  readonly #keys: FairKeys;
  #seq = 0;

  constructor(deps: IntakeDeps<P, R>) {
    this.#deps = deps;
    this.#keys = new FairKeys(() => Math.min(MAX_LEVEL_MS, deps.load.sloMs));
  }

  /** @throws BatcherError QUEUE_FULL, PAYLOAD_TOO_LARGE or DRAINING; then nothing was taken */
  admit(items: readonly Item<P>[], slackMs: number, draining: boolean): void {
    const { room, load, maxQueue, shedding, emit } = this.#deps;
    // Who rides on an entry that is there already takes no room.
    const rows = rowsOf(items.filter((item) => room.find(item.identity) === undefined));
    const refusal = refuse({
      rows,
      queuedRows: room.rows,
      maxQueue,
      draining,
      drainMs: load.drainMs(room.queuedAloneMs),
      referenceMs: load.answerMs(load.aloneMs(1, load.referenceLength)),
      slackMs: load.trusted && shedding ? slackMs : Infinity,
    });
    if (refusal === undefined) return;
    emit({ type: 'refused', rows, code: refusal.code, reason: refusal.reason });
    throw new BatcherError(refusal.code, refusal.message, refusal.retryAfterSeconds);
  }

  /**
   * Gives every item a place: a new one, or beside the rider of an equal input. Bulk items in the order of their lengths,
   * the longest first: they are answered together, so their order is ours, and neighbours then ride without padding. Where
   * interactive ones come too they stay as they are: those of all lengths find more room in others' runs.
   * @returns rows that ride with an equal input
   */
  board(
    request: Request<P, R>,
    items: readonly Item<P>[],
    priority: number | undefined,
    now: number,
  ): number {
    const { room, load } = this.#deps;
    const costs = items.map(({ rows, length }) => load.aloneMs(rows, length));
    const bulk = this.#isBulk(items, costs);
    let sharedRows = 0;
    const order = [...items.keys()];
    if (bulk && load.isQuiet(now)) order.sort((a, b) => (items[b]?.length ?? 0) - (items[a]?.length ?? 0));
    for (const index of order) {
      const item = items[index];
      if (item === undefined) continue;
      let entry = room.find(item.identity);
      if (entry === undefined) {
        entry = this.#entry(request, item, costs[index] ?? 0, bulk, priority);
        load.arrived(now, entry, this.#deps.lanes());
        room.add(entry);
      } else {
        sharedRows += item.rows;
        entry.deadlineAt = Math.max(entry.deadlineAt, request.deadlineAt);
        if (!bulk) room.promote(entry);
        // Bulk lifts nothing that is interactive.
        if (!bulk || entry.bulk) room.advance(entry, this.#keys.peek(request.caller, priority));
      }
      entry.riders.push({ request, index });
      request.entries.push(entry);
    }
    return sharedRows;
  }

  /** An entry goes into service. */
  served(entry: Entry<P, R>): void {
    this.#keys.served(entry, entry.aloneMs, this.#deps.room.size);
  }

  #entry(
    request: Request<P, R>,
    { rows, length, compat, payload, identity }: Item<P>,
    aloneMs: number,
    bulk: boolean,
    priority: number | undefined,
  ): Entry<P, R> {
    return {
      seq: this.#seq++,
      ...this.#keys.next(request.caller, aloneMs, priority),
      rows,
      length,
      compat,
      payload,
      identity,
      aloneMs,
      bulk,
      arrivedAt: request.arrivedAt,
      deadlineAt: request.deadlineAt,
      riders: [],
      dispatchedAt: 0,
      losses: 0,
      hangs: 0,
      lanesLostBefore: 0,
    };
  }

  /** More than about one batch: it yields to smaller requests. */
  #isBulk(items: readonly Item<P>[], costs: readonly number[]): boolean {
    if (items.length < 2) return false;
    return (
      rowsOf(items) > this.#deps.maxBatch || costs.reduce((a, b) => a + b, 0) > this.#deps.load.sloMs / 2
    );
  }
}

export const rowsOf = (items: readonly { readonly rows: number }[]): number =>
  items.reduce((rows, item) => rows + item.rows, 0);
