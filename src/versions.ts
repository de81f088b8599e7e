import type { Clock } from '#batcher';
import type { Codec } from './codec/codec.js';
import type { Config } from './config/schema.js';
import type { Arbiter } from './executor/arbiter.js';
import type { Registry } from './models/registry.js';
import { rolesOf } from './models/versions/group.js';
import { Traffic } from './models/versions/traffic.js';
import { Watcher } from './models/watcher.js';
import { Pipeline } from './pipeline.js';
import { QueueBytes } from './queue-bytes.js';
import { Reloader, type ReloadReport } from './reload.js';
import type { LogLevelSwitch } from './telemetry/log-level.js';
import type { Logger } from './telemetry/logger.js';
import type { Metrics } from './telemetry/metrics.js';

export interface VersionsDeps {
  readonly settings: Config;
  readonly registry: Registry;
  readonly codec: Codec;
  readonly arbiter: Arbiter;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** What `log.level` rules; undefined where the logger is the host's. */
  readonly logLevel: LogLevelSwitch | undefined;
}

/** What changes while the gateway serves, put together. */
export interface Versions {
  readonly traffic: Traffic;
  readonly watcher: Watcher;
  readonly reload: (load: () => Config) => Promise<ReloadReport>;
}

/** Copies for shadows may hold so small a part of `server.maxQueueBytes`, in addition. */
const COPIES_PART = 8;

export const createVersions = (deps: VersionsDeps): Versions => {
  const { settings, registry, codec, arbiter, clock, metrics, logger, logLevel } = deps;
  metrics.versions.bind(() =>
    registry.groups.flatMap((group) =>
      group.models.map(({ info: { name, card } }) => {
        const role = rolesOf(group, card.version).join('+') || 'loaded';
        return { model: name, version: card.version, role };
      }),
    ),
  );
  const traffic = new Traffic({
    groups: registry,
    codec,
    pipeline: new Pipeline(codec, clock, {
      bytes: new QueueBytes(settings.server.maxQueueBytes / COPIES_PART),
    }),
    arbiter,
    metrics: metrics.versions,
    onFault: (model, version, reason) => logger.warn({ model, version, reason }, 'a shadow request failed'),
  });
  const watcher = new Watcher({
    registry,
    clock,
    root: settings.models.root,
    locate: (path) => registry.loader.locate(path),
    wanted: () => registry.loader.config.models.load,
    onChange: (what, model) => logger.info({ model }, `its files have changed: ${what}`),
    onFault: (model, reason) =>
      logger.error(
        { model, reason },
        'its files have changed, and are not served; tried again when they change',
      ),
    onUnreadable: (model, reason) =>
      logger.warn(
        { model, reason },
        'its files can not be read: what serves goes on, and they are looked at again',
      ),
  });
  const reloader = new Reloader({ settings, registry, watcher, logger, logLevel });
  return { traffic, watcher, reload: (load) => reloader.reload(load) };
};
