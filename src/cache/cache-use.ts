import type { CacheUse } from '../infer.js';

/** @param ageMs of the oldest hit */
export const cacheUseOf = (hitRows: number, missRows: number, ageMs: number): CacheUse => {
  if (hitRows === 0) return { result: 'miss', hitRows, missRows };
  return { result: missRows === 0 ? 'hit' : 'partial', hitRows, missRows, ageMs };
};

/** Of a request that runs in several parts: what all of them had. */
export const joinCacheUse = (
  one: CacheUse | undefined,
  other: CacheUse | undefined,
): CacheUse | undefined => {
  if (one === undefined || other === undefined) return other ?? one;
  if (one.result === 'bypass') return other;
  const ageMs = Math.max(one.ageMs ?? 0, other.ageMs ?? 0);
  return cacheUseOf(one.hitRows + other.hitRows, one.missRows + other.missRows, ageMs);
};
