import { CarpoolError, messageOf } from '../errors.js';
import type { Quota, QuotaState, Unit } from './quotas.js';
import type { QuotaStore, Taken } from './store.js';

/** The part of a request that quotas are about. */
export interface Charged {
  /** Whose quotas. */
  readonly caller: string;
  /** What the caller has left, for the answer's headers; filled in here. */
  quotas?: readonly QuotaState[] | undefined;
}

/** What a request asks for, where that is known. */
export type Work = Readonly<Partial<Record<Unit, number>>>;

/** Returns what was taken, once: the gateway did not take the work after all. */
export type Refund = () => void;

/** See Limiter.charge. */
export type Charge = (request: Charged, work: Work) => Promise<Refund>;

export interface LimiterDeps {
  readonly quotas: readonly Quota[];
  readonly store: QuotaStore;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** What happens while the store can't be reached: all pass uncounted, or none does. */
  readonly onStoreFailure: 'allow' | 'deny';
  /** `reason`: the quota's name with underscores, or `store_down`. */
  readonly onRefused: (reason: string) => void;
  readonly onStoreFault: (message: string) => void;
}

/** A store that has failed is let alone for so long, lest every request waits for it in vain. */
const STORE_REST_MS = 1000;

/** Holds callers to their quotas. Requests are charged at the door, rows and tokens as soon as they are counted. */
export class Limiter {
  readonly #deps: LimiterDeps;
  #storeRestsUntil = -Infinity;

  constructor(deps: LimiterDeps) {
    this.#deps = deps;
  }

  /**
   * Takes the work from all of the caller's quotas, or from none.
   * @returns gives it back
   * @throws CarpoolError RATE_LIMITED with the seconds to wait; PAYLOAD_TOO_LARGE for more than a whole window's
   */
  async charge(request: Charged, work: Work): Promise<Refund> {
    const asked = this.#deps.quotas.flatMap((quota) => {
      const points = work[quota.unit] ?? 0;
      return points > 0 ? [{ quota, points }] : [];
    });
    for (const { quota, points } of asked) requireFits(quota, points);
    const taken: Asked[] = [];
    try {
      for (const each of asked) {
        const { quota, points } = each;
        const state = await this.#ask((store) => store.take(quota, request.caller, points));
        if (state === undefined) break;
        taken.push(each);
        note(request, quota, state);
        if (!state.isAllowed) throw this.#refusal(quota, state);
      }
    } catch (error) {
      this.#giveBack(request, taken);
      throw error;
    }
    return () => {
      this.#giveBack(request, taken);
      request.quotas = request.quotas?.map((state) => withPoints(state, taken));
    };
  }

  close(): void {
    this.#deps.store.close();
  }

  /** Without waiting: no answer depends on it. */
  #giveBack({ caller }: Charged, taken: readonly Asked[]): void {
    for (const { quota, points } of taken)
      void this.#deps.store.giveBack(quota, caller, points).catch(() => undefined);
  }

  #refusal(quota: Quota, taken: Taken): CarpoolError {
    this.#deps.onRefused(quota.name.replaceAll('-', '_'));
    const seconds = secondsOf(taken);
    return new CarpoolError(
      'RATE_LIMITED',
      `expected at most ${quota.points} ${quota.unit} in ${quota.windowSeconds} s, got more; more from ${seconds} s on`,
      { retryAfterSeconds: seconds },
    );
  }

  /** undefined = the store can't be asked, and requests pass all the same. @throws RATE_LIMITED where they do not */
  async #ask<T>(question: (store: QuotaStore) => Promise<T>): Promise<T | undefined> {
    const { store, now, onStoreFault, onStoreFailure, onRefused } = this.#deps;
    if (now() >= this.#storeRestsUntil) {
      try {
        return await question(store);
      } catch (error) {
        this.#storeRestsUntil = now() + STORE_REST_MS;
        onStoreFault(messageOf(error));
      }
    }
    if (onStoreFailure === 'allow') return undefined;
    onRefused('store_down');
    throw new CarpoolError('RATE_LIMITED', 'requests can not be counted now: try again soon');
  }
}

/** Of one quota. */
interface Asked {
  readonly quota: Quota;
  readonly points: number;
}

const withPoints = (state: QuotaState, taken: readonly Asked[]): QuotaState => {
  const points = taken.find(({ quota }) => quota === state.quota)?.points ?? 0;
  return { ...state, remaining: state.remaining + points };
};

const requireFits = (quota: Quota, points: number): void => {
  if (points <= quota.points) return;
  throw new CarpoolError(
    'PAYLOAD_TOO_LARGE',
    `expected at most ${quota.points} ${quota.unit}, all that a caller has in ${quota.windowSeconds} s, got ${points}`,
  );
};

const note = (request: Charged, quota: Quota, taken: Taken): void => {
  const state: QuotaState = { quota, remaining: taken.remaining, resetSeconds: secondsOf(taken) };
  // A stream is charged slice by slice: the newest state of each counts.
  request.quotas = [...(request.quotas ?? []).filter((known) => known.quota !== quota), state];
};

const secondsOf = ({ msBeforeNext }: Taken): number => Math.max(1, Math.ceil(msBeforeNext / 1000));
