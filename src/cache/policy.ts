/** What a request allows the cache to do. */
export interface CachePolicy {
  /** May it be answered from the cache? */
  readonly reads: boolean;
  /** May its answer be kept? */
  readonly writes: boolean;
  /** Oldest answer that it takes; Infinity = any. */
  readonly maxAgeMs: number;
}

const ANY: CachePolicy = { reads: true, writes: true, maxAgeMs: Infinity };

/**
 * A request's `Cache-Control` (RFC 9111, 5.2.1): `no-store` neither reads nor writes, `no-cache` writes only, and
 * `max-age=N` takes nothing older than N seconds. Other directives are ignored, as the RFC wants it.
 */
export const cachePolicyOf = (cacheControl: string | undefined): CachePolicy => {
  if (cacheControl === undefined || cacheControl === '') return ANY;
  let policy = ANY;
  for (const directive of cacheControl.toLowerCase().split(',')) {
    const [name = '', value = ''] = directive.split('=', 2).map((part) => part.trim());
    if (name === 'no-store') policy = { ...policy, reads: false, writes: false };
    if (name === 'no-cache') policy = { ...policy, reads: false };
    const seconds = /^"?(\d{1,10})"?$/.exec(value)?.[1];
    if (name === 'max-age' && seconds !== undefined)
      policy = { ...policy, maxAgeMs: Math.min(policy.maxAgeMs, Number(seconds) * 1000) };
  }
  return policy;
};
