import { stringify } from 'yaml';
import { batchingSchema } from '../config/batching.js';
import { modelsSchema } from '../config/schema.js';
import type { LaneLayout } from '../executor/cpu-quota.js';
import type { BatchKnobs } from './recommend.js';

/** What is recommended for the gateway and for the model. */
export interface Settings {
  readonly layout: LaneLayout;
  /** Milliseconds; absent = leave `sloMs` as it is. */
  readonly sloMs?: number;
  readonly knobs: BatchKnobs;
}

/**
 * Lines for config.yaml, to be merged into what stands there: the lanes, and what differs from the defaults for the model.
 * A model named like a key of `models` (`root`, say) can have no entry there: then its lines are for every model.
 */
export const configLines = (model: string, { layout, sloMs, knobs }: Settings): string => {
  const defaults = batchingSchema.parse({});
  const { maxBatch, maxBatchTokens } = knobs;
  const batching = {
    ...(sloMs === undefined ? {} : { sloMs }),
    ...(maxBatch === defaults.maxBatch ? {} : { maxBatch }),
    ...(maxBatchTokens === defaults.maxBatchTokens ? {} : { maxBatchTokens }),
  };
  const lanes = { count: layout.count, intraOpThreads: layout.intraOpThreads };
  if (Object.keys(batching).length === 0) return stringify({ lanes });
  const own = Object.hasOwn(modelsSchema.shape, model) ? { batching } : { models: { [model]: { batching } } };
  return stringify({ lanes, ...own });
};
