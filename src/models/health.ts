import type { Config } from '../config/schema.js';
import type { LanePool } from '../executor/pool.js';
import type { HealthState } from '../http/health-routes.js';
import type { Registry } from './registry.js';
import type { ServedModel } from './served-model.js';

export interface HealthDeps {
  readonly settings: Pick<Config, 'health' | 'models'>;
  readonly pool: Pick<LanePool, 'isStuck' | 'abandoned' | 'lanesWith'>;
  readonly registry: Pick<Registry, 'all' | 'allVersions' | 'failures' | 'retiring'>;
}

/** With the word of every model. */
export type Readiness = HealthState & { readonly models: Readonly<Record<string, ModelWord>> };

/** Word of a model for people, as `/health` shows it. */
export type ModelWord = 'ready' | 'failed' | 'no_lane' | 'circuit_open';

export const modelWord = (model: ServedModel, pool: Pick<LanePool, 'lanesWith'>): ModelWord => {
  if (model.guard.circuit === 'open') return 'circuit_open';
  return pool.lanesWith(model.key) === 0 ? 'no_lane' : 'ready';
};

/** Not ok: something hangs that only a restart of the process will cure. */
export const liveness = ({ settings, pool, registry }: HealthDeps): HealthState => {
  if (pool.isStuck)
    return {
      ok: false,
      reason: 'lanes_stuck',
      detail: `no lane is left: ${pool.abandoned} threads hang and can't be ended`,
    };
  const { stuckFactor, stuckMinMs } = settings.health;
  for (const { guards, info } of [...registry.allVersions, ...registry.retiring])
    for (const guard of guards) {
      const run = guard.overdue(stuckFactor, stuckMinMs);
      if (run === undefined) continue;
      return {
        ok: false,
        reason: 'run_stuck',
        detail: `a batch of ${info.name} has run for ${Math.round(run.ageMs)} ms; ${Math.round(run.predictedMs)} ms were predicted`,
      };
    }
  return { ok: true };
};

/** Not ok: a model that is required has no lane to run in, or none is loaded. Also says how every model is. */
export const readiness = ({ settings, pool, registry }: HealthDeps): Readiness => {
  const words = registry.all.map((model): [string, ModelWord] => [model.info.name, modelWord(model, pool)]);
  const failed = [...registry.failures.keys()].map((name): [string, ModelWord] => [name, 'failed']);
  const models = Object.fromEntries([...words, ...failed]);
  const required = (name: string): boolean | undefined => settings.models.overrides.get(name)?.required;
  const not = (reason: string, detail: string): Readiness => ({ ok: false, reason, detail, models });
  if (words.length === 0) return not('no model is loaded', 'no model is loaded');
  const missing = failed.find(([name]) => required(name) === true);
  if (missing !== undefined)
    return not('model_failed', `model ${missing[0]} is required and could not be loaded`);
  const idle = words.find(([name, word]) => word === 'no_lane' && required(name) !== false);
  if (idle !== undefined)
    return not(
      'no_lane',
      `model ${idle[0]} is required and no lane can run it now` +
        (pool.abandoned > 0 ? `; ${pool.abandoned} threads hang and can't be ended` : ''),
    );
  return { ok: true, models };
};
