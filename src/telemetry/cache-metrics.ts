import { Counter, Gauge, type Registry } from 'prom-client';

export interface CacheMetrics {
  /** `fn` is asked at every scrape. */
  bind(fn: () => { readonly bytes: number; readonly entries: number }): void;
  redisFailed(reason: 'error' | 'timeout' | 'corrupt' | 'dropped'): void;
}

/** The response cache's stores; its hits and misses are counted by model, among the batch metrics. */
export const createCacheMetrics = (registry: Registry): CacheMetrics => {
  const registers = [registry];
  let read = (): { readonly bytes: number; readonly entries: number } => ({ bytes: 0, entries: 0 });
  new Gauge({
    name: 'carpool_cache_bytes',
    help: 'Memory taken by cached answers, all models.',
    registers,
    collect() {
      this.set(read().bytes);
    },
  });
  new Gauge({
    name: 'carpool_cache_entries',
    help: 'Cached answers in memory, all models.',
    registers,
    collect() {
      this.set(read().entries);
    },
  });
  const failures = new Counter({
    name: 'carpool_cache_redis_failures_total',
    help: 'Times that Redis was asked in vain.',
    labelNames: ['reason'],
    registers,
  });
  return {
    bind: (fn) => {
      read = fn;
    },
    redisFailed: (reason) => failures.inc({ reason }),
  };
};
