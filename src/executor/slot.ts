import { CarpoolError, messageOf } from '../errors.js';
import { Lane, type LaneLimits } from './lane.js';
import type { OpenLink } from './link.js';

/** Pause before the n-th start in a row that failed; a lane that served in between resets it. */
const RESTART_DELAYS_MS: readonly number[] = [0, 100, 500, 2_000, 5_000];

export interface SlotDeps {
  readonly open: OpenLink;
  /** Loads and warms every model in a fresh lane; runs before the lane takes work. */
  readonly furnish: (lane: Lane) => Promise<void>;
  /** A lane that takes longer to start is given up, and another one started. */
  readonly startTimeoutMs: number;
  /** The same for furnishing it; asked when that begins. */
  readonly furnishTimeoutMs: () => number;
  /** For what one request may take a lane. Default: any time. */
  readonly limits?: LaneLimits;
  /** Resolves when a lane may be started; undefined: at once. */
  readonly room?: () => Promise<void> | undefined;
  readonly onRestart: (reason: string) => void;
  /** There is no room: the slot stays without a lane until there is. */
  readonly onVacant?: () => void;
  /** A lane is gone that was in service or on its way there; it may still be running. */
  readonly onGone?: (lane: Lane) => void;
}

/**
 * A place for one lane. When its lane dies, a new one is started, furnished, and put in its place; claims that were
 * given this slot meanwhile wait in `lane()`.
 */
export class Slot {
  readonly #deps: SlotDeps;
  #current: Promise<Lane>;
  #lane: Lane | undefined;
  /** A lane on its way: not furnished yet. */
  #next: Lane | undefined;
  #failures = 0;
  #isVacant = false;
  #closed = false;
  #cancelPause: (() => void) | undefined;
  readonly #closing: Promise<void>;
  #onClose!: () => void;

  constructor(deps: SlotDeps) {
    this.#deps = deps;
    this.#closing = new Promise((resolve) => (this.#onClose = resolve));
    this.#current = this.#start();
    this.#current.catch(() => undefined);
  }

  /** The lane if it can take work this instant. */
  get open(): Lane | undefined {
    return this.#lane?.lost === false ? this.#lane : undefined;
  }

  /** It has no lane and may not start one. */
  get isVacant(): boolean {
    return this.#isVacant;
  }

  get running(): boolean {
    return (this.#next ?? this.#lane)?.running ?? false;
  }

  /** Waits through a restart. @throws WORKER_LOST when the slot is closed */
  async lane(): Promise<Lane> {
    for (;;) {
      const lane = this.open ?? (await this.#current);
      if (!lane.lost) return lane;
      if (this.#closed) throw closed();
      // It died a moment ago and its replacement is not in `#current` yet.
      await lane.gone;
    }
  }

  /** Ends the lane, which must be between two runs, and puts a new one in its place. Resolves when that is there. */
  async recycle(): Promise<void> {
    const lane = this.open;
    if (lane === undefined || this.#closed) return;
    this.#lane = undefined;
    this.#next = lane;
    this.#current = inTime(lane, () => lane.stop(), this.#deps.startTimeoutMs, 'end').then(() => {
      this.#next = undefined;
      return this.#start();
    });
    await this.#current.then(
      () => undefined,
      () => undefined,
    );
  }

  /** Ends the lane between two runs. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#onClose();
    this.#cancelPause?.();
    await this.#next?.stop();
    await this.#current.then((lane) => lane.stop()).catch(() => undefined);
  }

  /** Gives the lane up at once. */
  discard(reason: string): void {
    this.#closed = true;
    this.#onClose();
    this.#cancelPause?.();
    (this.#next ?? this.#lane)?.discard(reason);
  }

  async #start(): Promise<Lane> {
    for (;;) {
      const room = this.#deps.room?.();
      if (room !== undefined) {
        this.#isVacant = true;
        this.#deps.onVacant?.();
        await Promise.race([room, this.#closing]);
        this.#isVacant = false;
      }
      if (this.#closed) throw closed();
      try {
        const lane = await this.#furnished();
        this.#lane = lane;
        this.#failures = 0;
        void lane.gone.then((reason) => this.#replace(lane, reason));
        return lane;
      } catch (error) {
        if (!(await this.#pause())) throw closed();
        this.#deps.onRestart(messageOf(error));
      }
    }
  }

  async #furnished(): Promise<Lane> {
    const lane = new Lane(this.#deps.open, this.#deps.limits);
    this.#next = lane;
    try {
      await inTime(lane, () => lane.ready, this.#deps.startTimeoutMs, 'start');
      await inTime(lane, () => this.#deps.furnish(lane), this.#deps.furnishTimeoutMs(), 'open its models');
      return lane;
    } catch (error) {
      if (!lane.lost) lane.discard(messageOf(error));
      this.#deps.onGone?.(lane);
      throw error;
    } finally {
      this.#next = undefined;
    }
  }

  #replace(lane: Lane, reason: string): void {
    if (this.#closed || this.#lane !== lane) return;
    this.#lane = undefined;
    this.#deps.onGone?.(lane);
    this.#deps.onRestart(reason);
    this.#current = this.#start();
    this.#current.catch(() => undefined);
  }

  /** False when the slot was closed, before or meanwhile. */
  async #pause(): Promise<boolean> {
    if (this.#closed) return false;
    const delayMs = RESTART_DELAYS_MS[Math.min(this.#failures++, RESTART_DELAYS_MS.length - 1)] ?? 0;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(true), delayMs);
      this.#cancelPause = () => {
        clearTimeout(timer);
        resolve(false);
      };
    });
  }
}

/** Gives the lane up when its time is over; whatever `work` waits for is then rejected with WORKER_LOST. */
const inTime = async (lane: Lane, work: () => Promise<void>, ms: number, what: string): Promise<void> => {
  const timer = setTimeout(() => lane.discard(`it did not ${what} within ${ms} ms`), ms);
  try {
    await work();
  } finally {
    clearTimeout(timer);
  }
};

const closed = (): CarpoolError => new CarpoolError('WORKER_LOST', 'the lanes are closed');
