import type { Clock } from '#batcher';
import type { Codec } from './codec/codec.js';
import type { Config } from './config/schema.js';
import type { Arbiter } from './executor/arbiter.js';
import type { LaneLayout } from './executor/cpu-quota.js';
import { openLinkOf } from './executor/open-link.js';
import type { LanePool } from './executor/pool.js';
import type { CostKeeper } from './models/cost-keeper.js';
import { joiningText } from './models/joining.js';
import { ModelLoader } from './models/loader.js';
import { Registry } from './models/registry.js';
import { Trials } from './models/trial/trials.js';
import { configuredPolicy } from './reload.js';
import type { Logger } from './telemetry/logger.js';
import type { ModelCaches } from './cache/model-caches.js';
import type { Seeing } from './seeing.js';

/** The registry and what loads its models, put together. */
export const createRegistry = (parts: {
  settings: Config;
  layout: LaneLayout;
  pool: LanePool;
  arbiter: Arbiter;
  codec: Codec;
  costs: CostKeeper;
  clock: Clock;
  caches: ModelCaches;
  seeing: Seeing;
  logger: Logger;
}): Registry => {
  const { settings, layout, seeing, logger } = parts;
  const loader = new ModelLoader({
    ...parts,
    config: settings,
    intraOpThreads: layout.intraOpThreads,
    trials: new Trials({
      open: openLinkOf('process'),
      executionProviders: settings.lanes.executionProviders,
      cacheDir: settings.models.cacheDir,
      onFault: (reason) => logger.warn({ reason }, 'trial'),
      isClosing: (): boolean => registry.isDraining,
    }),
    observe: seeing.forModel,
    onLoaded: ({ info }) => {
      const { name, signature, batch } = info;
      const inputs = signature.inputs.map((spec) => `${spec.name} ${spec.dtype}[${spec.shape.join(',')}]`);
      logger.info({ model: name, inputs, batch }, 'model loaded');
      if (batch.reason !== undefined) logger.warn({ model: name, reason: batch.reason }, joiningText(info));
    },
    onCircuit: ({ info }, state) =>
      state === 'open'
        ? logger.error({ model: info.name }, 'model keeps losing its lanes: out of service for a while')
        : logger.info({ model: info.name }, 'model is back in service'),
    onRetired: ({ info }) => logger.info({ model: info.name, loadedAt: info.loadedAt }, 'model retired'),
  });
  const registry = new Registry(
    loader,
    settings.models.default,
    (name) => configuredPolicy(loader.config, name),
    (model, reason) =>
      logger.error({ model, reason }, 'a version that is not served any more could not be freed'),
  );
  return registry;
};
