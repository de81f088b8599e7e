import { RateLimiterMemory, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import type { Quota } from './quotas.js';

export interface Taken {
  readonly isAllowed: boolean;
  readonly remaining: number;
  readonly msBeforeNext: number;
}

/** Counts what callers have used. */
export interface QuotaStore {
  /** Whether allowed or not, the points are taken: `giveBack` returns them. @throws Error when it can't be reached */
  take(quota: Quota, caller: string, points: number): Promise<Taken>;
  giveBack(quota: Quota, caller: string, points: number): Promise<void>;
  close(): void;
}

/** One limiter of the library for each quota, made by `make`. */
export const storeOf = (
  quotas: readonly Quota[],
  make: (options: { keyPrefix: string; points: number; duration: number }) => RateLimiterAbstract,
  close: () => void,
): QuotaStore => {
  const limiters = new Map(
    quotas.map((quota) => {
      const { name, points, windowSeconds } = quota;
      return [quota, make({ keyPrefix: `carpool:${name}`, points, duration: windowSeconds })];
    }),
  );
  const limiterOf = (quota: Quota): RateLimiterAbstract => {
    const limiter = limiters.get(quota);
    if (limiter === undefined) throw new Error(`no store for ${quota.name}`);
    return limiter;
  };
  return {
    take: async (quota, caller, points) => {
      try {
        return takenOf(await limiterOf(quota).consume(caller, points), true);
      } catch (error) {
        // The library rejects with its result where the quota is used up, and with an Error where its store fails.
        if (error instanceof RateLimiterRes) return takenOf(error, false);
        throw error;
      }
    },
    giveBack: async (quota, caller, points) => {
      await limiterOf(quota).reward(caller, points);
    },
    close,
  };
};

/** Counts in this process alone. Its entries go with their windows; its timers hold no process. */
export const createMemoryStore = (quotas: readonly Quota[]): QuotaStore =>
  storeOf(
    quotas,
    (options) => new RateLimiterMemory(options),
    () => undefined,
  );

const takenOf = ({ remainingPoints, msBeforeNext }: RateLimiterRes, isAllowed: boolean): Taken => ({
  isAllowed,
  remaining: remainingPoints,
  msBeforeNext: Math.max(0, msBeforeNext),
});
