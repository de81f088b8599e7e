import { wasteOf, type BatcherEvent, type Clock, type Group } from '#batcher';

/** One batch, as `GET /debug/batcher` shows it. */
export interface Decision {
  /** Milliseconds before now that it was dispatched. */
  readonly agoMs: number;
  readonly rows: number;
  readonly tokens: number;
  readonly paddedTokens: number;
  readonly longest: number;
  readonly reason: string;
  /** Items left in the queue. */
  readonly waiting: number;
  /** Longest wait among its members. */
  readonly queueMs: number;
  readonly predictedMs: number;
  /** Absent while it runs, and where it failed. */
  readonly laneMs?: number;
  /** Share of `laneMs` that padding took, 0 to 1; absent where that is. */
  readonly waste?: number;
}

interface Noted {
  readonly at: number;
  readonly sizes: Omit<Decision, 'agoMs' | 'laneMs' | 'waste'>;
  /** undefined while it runs, and where it failed. */
  ran: { readonly laneMs: number; readonly waste: number } | undefined;
}

const KEPT = 100;

/** The last decisions of a batcher, with what came of them. Groups are not kept: they hold their callers' inputs. */
export class DecisionLog {
  readonly #clock: Clock;
  readonly #last: Noted[] = [];
  readonly #running = new WeakMap<Group, Noted>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(event: BatcherEvent): void {
    if (event.type === 'dispatched') this.#add(event);
    if (event.type !== 'completed') return;
    const noted = this.#running.get(event.group);
    if (noted === undefined) return;
    const { laneMs, unpaddedMs } = event;
    noted.ran = { laneMs, waste: wasteOf(unpaddedMs, laneMs) };
  }

  /** Newest first. */
  list(): Decision[] {
    const now = this.#clock.now();
    return this.#last.toReversed().map(({ at, sizes, ran }) => ({
      agoMs: now - at,
      ...sizes,
      ...ran,
    }));
  }

  #add({ group, queueMs, predictedMs, waiting }: Extract<BatcherEvent, { type: 'dispatched' }>): void {
    const { rows, tokens, paddedTokens, longest, reason } = group;
    const longestWaitMs = queueMs.reduce((most, ms) => Math.max(most, ms), 0);
    const sizes = {
      rows,
      tokens,
      paddedTokens,
      longest,
      reason,
      waiting,
      queueMs: longestWaitMs,
      predictedMs,
    };
    const noted: Noted = { at: this.#clock.now(), sizes, ran: undefined };
    this.#running.set(group, noted);
    this.#last.push(noted);
    if (this.#last.length > KEPT) this.#last.shift();
  }
}
