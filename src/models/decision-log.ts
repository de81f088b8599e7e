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
  /** Where it failed, why: a code of docs/errors.md. */
  readonly failed?: string;
  /** Share of `laneMs` that padding took, 0 to 1; absent where that is. */
  readonly waste?: number;
}

type Ending = Pick<Decision, 'laneMs' | 'waste' | 'failed'>;

interface Noted {
  readonly at: number;
  readonly decided: Omit<Decision, 'agoMs' | keyof Ending>;
  /** undefined while it runs. */
  ending: Ending | undefined;
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
    if (event.type !== 'completed' && event.type !== 'failed') return;
    const noted = this.#running.get(event.group);
    if (noted !== undefined) noted.ending = endingOf(event);
  }

  /** Newest first. */
  list(): Decision[] {
    const now = this.#clock.now();
    return this.#last.toReversed().map(({ at, decided, ending }) => ({
      agoMs: rounded(now - at),
      ...decided,
      ...ending,
    }));
  }

  #add({ group, queueMs, predictedMs, waiting }: Extract<BatcherEvent, { type: 'dispatched' }>): void {
    const { rows, tokens, paddedTokens, longest, reason } = group;
    const longestWaitMs = queueMs.reduce((most, ms) => Math.max(most, ms), 0);
    const times = { queueMs: rounded(longestWaitMs), predictedMs: rounded(predictedMs) };
    const decided = { rows, tokens, paddedTokens, longest, reason, waiting, ...times };
    const noted: Noted = { at: this.#clock.now(), decided, ending: undefined };
    this.#running.set(group, noted);
    this.#last.push(noted);
    if (this.#last.length > KEPT) this.#last.shift();
  }
}

const endingOf = (event: Extract<BatcherEvent, { type: 'completed' | 'failed' }>): Ending => {
  if (event.type === 'failed') return { failed: event.code };
  const { laneMs, unpaddedMs } = event;
  return { laneMs: rounded(laneMs), waste: rounded(wasteOf(unpaddedMs, laneMs)) };
};

/** Microseconds, and tenths of a percent, are enough. */
const rounded = (value: number): number => Math.round(value * 1000) / 1000;
