import type { Config } from './config/schema.js';
import { versionsSchema } from './config/versions.js';
import { messageOf } from './errors.js';
import { batchingOf } from './models/batching-of.js';
import type { ModelInfo } from './models/model-info.js';
import type { Registry } from './models/registry.js';
import { wantedModels } from './models/repository.js';
import { policyOf, type VersionPolicy } from './models/versions/policy.js';
import type { Watcher } from './models/watcher.js';
import type { LogLevelSwitch } from './telemetry/log-level.js';
import type { Logger } from './telemetry/logger.js';

export interface ReloaderDeps {
  readonly settings: Config;
  readonly registry: Registry;
  readonly watcher: Watcher;
  readonly logger: Logger;
  /** What `log.level` rules; undefined where the logger is the host's. */
  readonly logLevel: LogLevelSwitch | undefined;
}

/** Key paths, as `batching.maxBatch`. */
export interface ReloadReport {
  readonly applied: readonly string[];
  /** Changed, but only a restart takes them. */
  readonly needRestart: readonly string[];
  /** What went wrong, in words: of the configuration as a whole (nothing is applied then), or of a model. */
  readonly problems: readonly string[];
}

/** The policy that config.yaml has for a model. */
export const configuredPolicy = ({ models }: Config, name: string): VersionPolicy =>
  policyOf(models.overrides.get(name)?.versions ?? versionsSchema.parse({}));

const LIVE_MODEL_KEYS: readonly string[] = [
  'load',
  'default',
  'pollIntervalMs',
  'trial',
  'trialTimeoutMs',
  'trialMemoryBytes',
];
const isLive = (key: string): boolean =>
  key === 'log.level' ||
  /^batching\.|^models\..+\.(?:batching|versions)$/.test(key) ||
  LIVE_MODEL_KEYS.some((name) => key === `models.${name}`);

/** Key path -> value, as text that can be compared. */
const flat = (config: Config): ReadonlyMap<string, string> => {
  const { overrides, ...fixed } = config.models;
  const sections: readonly [string, object][] = Object.entries({ ...config, models: fixed }).flatMap(
    ([section, keys]): [string, object][] => (typeof keys === 'object' ? [[section, keys]] : []),
  );
  const all = sections.flatMap(([section, keys]) =>
    Object.entries(keys).map(([key, value]) => [`${section}.${key}`, JSON.stringify(value)] as const),
  );
  const named = [...overrides].flatMap(([name, settings]) =>
    Object.entries(settings).map(([key, value]) => [`models.${name}.${key}`, JSON.stringify(value)] as const),
  );
  return new Map([...all, ...named]);
};

/** Takes over what a configuration changes; see docs/operations.md for which keys can be changed so. */
export class Reloader {
  readonly #deps: ReloaderDeps;
  #config: Config;
  #last: Promise<unknown> = Promise.resolve();

  constructor(deps: ReloaderDeps) {
    this.#deps = deps;
    this.#config = deps.settings;
  }

  /** One after the other. A configuration that is wrong changes nothing. Never rejects. */
  reload(load: () => Config): Promise<ReloadReport> {
    const report = this.#last.then(() => this.#reload(load));
    this.#last = report;
    return report;
  }

  async #reload(load: () => Config): Promise<ReloadReport> {
    const { logger, registry, watcher } = this.#deps;
    let next: Config;
    try {
      next = load();
    } catch (error) {
      const problem = messageOf(error);
      logger.error({ problem }, 'the configuration is wrong: the old one stays');
      return { applied: [], needRestart: [], problems: [problem] };
    }
    const [before, after] = [flat(this.#config), flat(next)];
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
      (key) => before.get(key) !== after.get(key),
    );
    const applied = changed.filter(isLive);
    const needRestart = changed.filter((key) => !isLive(key));
    const problems = await this.#apply(next, applied);
    await watcher.lookNow().catch((error: unknown) => problems.push(messageOf(error)));
    if (!this.#takeDefault()) {
      const { defaultModel: old } = registry;
      const stays = old === undefined ? 'there is none' : `'${old}' stays`;
      problems.push(`models.default: '${next.models.default ?? ''}' is not served: ${stays}`);
    }
    const report = { applied, needRestart, problems };
    if (problems.length > 0)
      logger.error(report, 'the configuration was read; not all of it could be applied');
    else logger.info(report, 'the configuration was read');
    if (needRestart.length > 0) logger.warn({ keys: needRestart }, 'these keys need a restart');
    return report;
  }

  /** @returns what went wrong */
  async #apply(next: Config, keys: readonly string[]): Promise<string[]> {
    const { registry, watcher, logLevel } = this.#deps;
    const { root, cacheDir, startupTimeoutMs } = this.#config.models;
    const hasChanged = (key: string): boolean => keys.includes(key);
    this.#config = {
      ...this.#config,
      log: { ...this.#config.log, level: next.log.level },
      batching: next.batching,
      models: { ...next.models, root, cacheDir, startupTimeoutMs },
    };
    registry.loader.reconfigure(this.#config);
    if (hasChanged('log.level')) logLevel?.configure(next.log.level, { by: 'reload' });
    if (hasChanged('models.pollIntervalMs')) watcher.every(next.models.pollIntervalMs);
    const problems: string[] = [];
    const attempt = async (work: Promise<unknown>, name: string): Promise<void> => {
      await work.catch((error: unknown) => problems.push(`${name}: ${messageOf(error)}`));
    };
    const leaving = hasChanged('models.load') ? await this.#load(attempt) : [];
    // Only now: until the new default is there, the old one answers.
    const isTaken = this.#takeDefault();
    for (const name of leaving)
      if (isTaken || name !== registry.defaultModel) await attempt(registry.drop(name), name);
    // Settings may have been what kept a model away.
    for (const name of [...registry.failures.keys()])
      if (keys.some((key) => key.startsWith(`models.${name}.`))) await attempt(registry.refresh(name), name);
    for (const group of registry.groups) {
      const { name } = group;
      if (hasChanged(`models.${name}.versions`))
        await attempt(registry.setPolicy(name, configuredPolicy(this.#config, name)), name);
      if (group.models.some(({ info }) => this.#hasOtherBatching(info)))
        await attempt(registry.refresh(name, true), name);
    }
    return problems;
  }

  /** Loads what is new on the list. @returns what has left it */
  async #load(attempt: (work: Promise<unknown>, name: string) => Promise<void>): Promise<readonly string[]> {
    const { registry } = this.#deps;
    const { load } = this.#config.models;
    let names: readonly string[] = [];
    await attempt(
      wantedModels(this.#config.models).then((found) => (names = found)),
      'models.root',
    );
    for (const name of names)
      if (registry.findGroup(name) === undefined) await attempt(registry.refresh(name), name);
    // What is not in the folder is the watcher's.
    if (load === '*') return [];
    // Those that somebody loaded from elsewhere are not the list's.
    return registry.groups
      .map(({ name }) => name)
      .filter((name) => !load.includes(name) && registry.pathOf(name) === name);
  }

  /** @returns false where it is not served, and the old one stays */
  #takeDefault(): boolean {
    const { registry } = this.#deps;
    const { default: wanted } = this.#config.models;
    if (wanted !== registry.defaultModel && wanted !== undefined && registry.findGroup(wanted) === undefined)
      return false;
    registry.defaultModel = wanted;
    return true;
  }

  #hasOtherBatching(info: ModelInfo): boolean {
    const { batching } = info;
    const wanted = batchingOf(this.#config, info);
    return Object.entries(wanted).some(([key, value]) => batching[key as keyof typeof batching] !== value);
  }
}
