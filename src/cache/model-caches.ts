import type { Clock } from '#batcher';
import type { Config } from '../config/schema.js';
import { environment } from '../models/cost-cache.js';
import type { ModelSource } from '../models/repository.js';
import type { Signature } from '../models/signature.js';
import type { CacheMetrics } from '../telemetry/cache-metrics.js';
import type { Logger } from '../telemetry/logger.js';
import { fingerprintOf, isUnchanged, type Fingerprint } from './fingerprint.js';
import { MemoryStore } from './memory-store.js';
import { ModelCache, type CacheStores } from './model-cache.js';
import { connectRedis } from './redis-client.js';
import { RedisStore } from './redis-store.js';

export interface ModelCachesDeps {
  readonly config: Pick<Config, 'cache' | 'models' | 'lanes'>;
  readonly clock: Clock;
  readonly metrics: CacheMetrics;
  readonly logger: Logger;
  /** Milliseconds since 1970. Default: Date.now. */
  readonly unixNow?: () => number;
}

/** The response caches of one gateway's models, over one memory and, where configured, one Redis. */
export class ModelCaches {
  readonly #deps: ModelCachesDeps;
  #stores: CacheStores | undefined;
  #redis: RedisStore | undefined;

  constructor(deps: ModelCachesDeps) {
    this.#deps = deps;
  }

  /**
   * Before a model is opened: what its answers will be kept under.
   * @returns undefined where its cache is off
   */
  async fingerprint(source: ModelSource): Promise<Fingerprint | undefined> {
    const { cache, models, lanes } = this.#deps.config;
    const { enabled = cache.enabled } = models.overrides.get(source.name)?.cache ?? {};
    if (!enabled) return undefined;
    return fingerprintOf(source, [environment().onnxruntime, ...lanes.executionProviders]);
  }

  /**
   * After it is open in every lane. @returns undefined where the cache is off, and where the files have changed since: then
   * nobody knows which of them the lanes have
   */
  async open(
    source: ModelSource,
    fingerprint: Fingerprint | undefined,
    signature: Signature,
    hasRows: boolean,
  ): Promise<ModelCache | undefined> {
    if (fingerprint === undefined) return undefined;
    const { config, logger } = this.#deps;
    if (!(await isUnchanged(source, fingerprint))) {
      logger.warn(
        { model: source.name },
        'its files changed while it was loaded: its answers are not cached',
      );
      return undefined;
    }
    const { ttlMs = config.cache.ttlMs } = config.models.overrides.get(source.name)?.cache ?? {};
    this.#stores ??= this.#openStores();
    return new ModelCache(this.#stores, { fingerprint: fingerprint.digest, signature, hasRows, ttlMs });
  }

  close(): void {
    this.#redis?.close();
  }

  #openStores(): CacheStores {
    const { config, clock, metrics, logger, unixNow = Date.now } = this.#deps;
    const { maxBytes, redis } = config.cache;
    const memory = new MemoryStore(maxBytes, () => clock.now());
    metrics.bind(() => ({ bytes: memory.bytes, entries: memory.entries }));
    if (redis.url !== '') {
      this.#redis = new RedisStore({
        connect: () => connectRedis(redis.url),
        clock,
        timeoutMs: redis.timeoutMs,
        keyPrefix: redis.keyPrefix,
        onFailure: (reason) => metrics.redisFailed(reason),
        onChange: (isUp, reason) => {
          if (isUp) logger.info({}, 'the cache in Redis is back');
          else logger.warn({ reason }, 'the cache in Redis is left alone for a while');
        },
      });
      this.#redis.open();
    }
    return { memory, redis: this.#redis, unixNow, onCorrupt: () => metrics.redisFailed('corrupt') };
  }
}
