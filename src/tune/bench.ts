import type { Clock } from '#batcher';
import { Codec } from '../codec/codec.js';
import type { Config } from '../config/schema.js';
import { CarpoolError } from '../errors.js';
import { Arbiter } from '../executor/arbiter.js';
import type { LaneLayout } from '../executor/cpu-quota.js';
import type { Payload } from '../executor/join.js';
import { openLinkOf } from '../executor/open-link.js';
import { LanePool } from '../executor/pool.js';
import { CostKeeper } from '../models/cost-keeper.js';
import { ModelLoader } from '../models/loader.js';
import type { ServedModel } from '../models/served-model.js';
import { createMetrics } from '../telemetry/metrics.js';
import { measure } from './measure.js';
import type { Bench } from './measured.js';

/** Keeps the rows that a model was tested with, instead of measuring with them. */
class SampleKeeper extends CostKeeper {
  samples: readonly Payload[] = [];

  override measure(_model: ServedModel, _start: unknown, samples: readonly Payload[]): Promise<void> {
    this.samples = samples;
    return Promise.resolve();
  }
}

/**
 * Starts the lanes of a layout and loads the model into them as the server would.
 * @throws MODEL_LOAD_FAILED, INVALID_REQUEST
 */
export const openBench = async (
  config: Config,
  layout: LaneLayout,
  name: string,
  clock: Clock,
): Promise<Bench> => {
  const arbiter = new Arbiter();
  const codec = new Codec();
  const metrics = createMetrics();
  // A lane that dies fails the run that it had, which is reported; the rest would only repeat it.
  const silent = { onRestart: () => undefined, onFault: () => undefined, onKnown: () => undefined };
  const pool = new LanePool({
    ...silent,
    lanes: layout.count,
    open: openLinkOf(config.lanes.isolation),
    arbiter,
  });
  const costs = new SampleKeeper({ ...silent, config, layout, pool, clock });
  const loader = new ModelLoader({
    config,
    intraOpThreads: layout.intraOpThreads,
    pool,
    arbiter,
    codec,
    costs,
    clock,
    observe: (model) => metrics.forModel(model),
    onLoaded: () => undefined,
    onRetired: () => undefined,
  });
  const close = async (): Promise<void> => {
    await pool.close();
    await codec.close();
    metrics.close();
  };
  try {
    await Promise.all([pool.start(), codec.start()]);
    const model = await loader.load(name, name, true);
    const { samples } = costs;
    if (samples.length === 0)
      throw new CarpoolError(
        'INVALID_REQUEST',
        `${name}: no input was found that runs; selfTest.dims of its card says how large open dimensions are`,
      );
    return { measure: (budgetMs) => measure({ model, samples, pool, clock, budgetMs }), close };
  } catch (error) {
    await close();
    throw error;
  }
};
