import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ModelCaches } from './cache/model-caches.js';
import type { Codec } from './codec/codec.js';
import type { Config } from './config/schema.js';
import { CarpoolError, codeOf, messageOf } from './errors.js';
import type { LaneLayout } from './executor/cpu-quota.js';
import type { LanePool } from './executor/pool.js';
import type { StartReport } from './gateway.js';
import type { HealthView } from './http/health-routes.js';
import type { CostKeeper } from './models/cost-keeper.js';
import { liveness, readiness } from './models/health.js';
import type { Registry } from './models/registry.js';
import { wantedModels } from './models/repository.js';
import type { Seeing } from './seeing.js';
import type { Watcher } from './models/watcher.js';
import type { Closable } from './servers.js';
import type { Logger } from './telemetry/logger.js';
import type { Metrics } from './telemetry/metrics.js';

export interface LifecycleDeps {
  readonly settings: Config;
  readonly layout: LaneLayout;
  readonly pool: LanePool;
  readonly codec: Codec;
  readonly costs: CostKeeper;
  readonly caches: ModelCaches;
  readonly registry: Registry;
  readonly watcher: Watcher;
  readonly metrics: Metrics;
  readonly seeing: Pick<Seeing, 'close'>;
  readonly logger: Logger;
}

/**
 * new ─ ready() ─▶ starting ─▶ serving ─ close() ─▶ draining ─▶ closed
 *
 * Knows the order in which the parts start and stop, and tells health where it stands.
 */
export class Lifecycle {
  readonly #deps: LifecycleDeps;
  #state: 'new' | 'starting' | 'serving' | 'draining' | 'closed' = 'new';
  #started: Promise<StartReport> | undefined;
  #closed: Promise<'drained' | 'deadline'> | undefined;

  constructor(deps: LifecycleDeps) {
    this.#deps = deps;
  }

  readonly health: HealthView = {
    live: () => liveness(this.#deps),
    ready: () => {
      const state = readiness(this.#deps);
      const { models } = state;
      return this.#state === 'serving' ? state : { ok: false, reason: this.#state, models };
    },
    model: (name) => {
      const word = this.#state === 'serving' ? readiness(this.#deps).models[name] : this.#state;
      return { ok: word === 'ready', reason: word ?? 'unknown' };
    },
  };

  ready(): Promise<StartReport> {
    this.#started ??= this.#startInTime();
    return this.#started;
  }

  /** @throws CarpoolError DRAINING once `close` was called */
  requireOpen(): void {
    if (this.#closed !== undefined) throw new CarpoolError('DRAINING', 'the gateway is shutting down');
  }

  close(server: Closable | undefined): Promise<'drained' | 'deadline'> {
    this.#closed ??= this.#close(server);
    return this.#closed;
  }

  async #startInTime(): Promise<StartReport> {
    const { startupTimeoutMs } = this.#deps.settings.models;
    const limit = timer(startupTimeoutMs);
    const late = limit.done.then(() => {
      throw new CarpoolError(
        'MODEL_UNAVAILABLE',
        `not ready within models.startupTimeoutMs (${startupTimeoutMs} ms)`,
      );
    });
    try {
      return await Promise.race([this.#start(), late]);
    } finally {
      limit.cancel();
    }
  }

  async #start(): Promise<StartReport> {
    const { settings, layout, pool, codec, costs, registry, watcher, logger } = this.#deps;
    this.#state = 'starting';
    await Promise.all([pool.start(), codec.start(), watcher.start()]);
    for (const name of await wantedModels(settings.models)) {
      if (this.#closed !== undefined) break;
      await registry.load(name, name, true).catch((error: unknown) => {
        logger.error({ model: name, code: codeOf(error) }, `model not loaded: ${messageOf(error)}`);
      });
    }
    registry.open();
    costs.open();
    watcher.every(settings.models.pollIntervalMs);
    // A close may have begun meanwhile.
    if (this.#closed === undefined) this.#state = 'serving';
    return {
      lanes: { ...layout, isolation: settings.lanes.isolation },
      models: registry.all.map((model) => model.info),
      failed: [...registry.failures].map(([name, error]) => ({ name, ...error })),
    };
  }

  /**
   * The order matters: readiness falls first, so that balancers look away while everything is still served; the server
   * closes before the batchers drain, so that nothing new comes; lanes end last, since all of that needs them.
   */
  async #close(server: Closable | undefined): Promise<'drained' | 'deadline'> {
    const { settings, pool, codec, costs, caches, registry, watcher, metrics, seeing, logger } = this.#deps;
    const { drainDelayMs, drainTimeoutMs } = settings.server;
    const wasServing = this.#state === 'serving';
    this.#state = 'draining';
    // One that hangs would outlive us.
    registry.loader.close();
    if (this.#started === undefined) {
      await seeing.close();
      metrics.close();
      this.#state = 'closed';
      return 'drained';
    }
    costs.close();
    watcher.close();
    logger.info('draining');
    const deadline = timer(wasServing ? drainDelayMs + drainTimeoutMs : drainTimeoutMs);
    const drained = async (): Promise<'drained'> => {
      if (wasServing && server !== undefined && drainDelayMs > 0) await timer(drainDelayMs).done;
      await this.#started?.catch(() => undefined);
      await server?.closeGracefully();
      await registry.drain();
      await pool.close();
      return 'drained';
    };
    const outcome = await Promise.race([drained(), deadline.done.then(() => 'deadline' as const)]);
    deadline.cancel();
    if (outcome === 'deadline') {
      pool.discard();
      // First the runs that were cut off come back as lost, for `abort` to find; then the answers of what it refuses
      // go out, before their connections are cut.
      await nextTurn();
      registry.abort();
      await nextTurn();
      await server?.closeNow();
    }
    await Promise.all([codec.close(), seeing.close()]);
    caches.close();
    metrics.close();
    this.#state = 'closed';
    logger.info({ outcome }, 'closed');
    return outcome;
  }
}

const timer = (ms: number): { done: Promise<void>; cancel: () => void } => {
  let handle: NodeJS.Timeout | undefined;
  const done = new Promise<void>((resolve) => {
    handle = setTimeout(resolve, ms);
  });
  return { done, cancel: () => clearTimeout(handle) };
};
