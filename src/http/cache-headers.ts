import type { CacheUse } from '../infer.js';

export const CACHE_HEADER = 'x-carpool-cache';

/**
 * What an answer says of the response cache: `x-carpool-cache: hit`, `partial` (some rows), `miss`, or `bypass`, and where
 * something came from it `age`, seconds of the oldest.
 */
export const cacheHeaders = (use: CacheUse | undefined): Readonly<Record<string, string>> => {
  if (use === undefined) return {};
  const { result, ageMs } = use;
  return {
    [CACHE_HEADER]: result,
    ...(ageMs === undefined ? {} : { age: String(Math.floor(ageMs / 1000)) }),
  };
};
