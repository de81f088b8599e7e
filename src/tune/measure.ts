import { CostModel, type Clock } from '#batcher';
import { CarpoolError } from '../errors.js';
import type { Payload } from '../executor/join.js';
import type { Lane } from '../executor/lane.js';
import type { LanePool } from '../executor/pool.js';
import { calibrate } from '../models/calibrate.js';
import { subjectOf } from '../models/cost-keeper.js';
import type { ServedModel } from '../models/served-model.js';
import type { Measured, TunedModel } from './measured.js';
import { MOST_ROWS } from './recommend.js';
import { RunLog } from '../models/run-log.js';
import { logged } from './logged.js';

export interface MeasureDeps {
  readonly model: ServedModel;
  /** Rows that are known to run. */
  readonly samples: readonly Payload[];
  readonly pool: Pick<LanePool, 'onLane' | 'onEveryLane'>;
  readonly clock: Clock;
  readonly budgetMs: number;
}

/** Part of the budget for the lone caller; runs of all sizes with every lane busy take the rest. */
const LONE_SHARE = 1 / 4;

/**
 * Measures the model in its lanes: one lane at work, then all of them at once, each with the same shapes in the same
 * order, so that every run has the company that it has in a server under load.
 * @throws INVALID_REQUEST where the budget is too small for one round
 */
export const measure = async (deps: MeasureDeps): Promise<Measured> => {
  const { model, pool, budgetMs } = deps;
  const tuned = tunedModelOf(model);
  const lone = new RunLog();
  const busy = new RunLog();
  // Also beyond what the gateway joins now, so that a larger `maxBatch` can be judged.
  const rows = tuned.growsFreely ? Math.max(MOST_ROWS, tuned.maxBatch) : tuned.maxBatch;
  // The model's own cost learns from the lone runs, as it does in the gateway: `sloMs: auto` follows from it.
  const loneCost = logged(model.cost, lone);
  const loneMs = budgetMs * LONE_SHARE;
  const loneRows = tuned.takesTexts ? 1 : rows;
  await pool.onLane(runs(deps, { cost: loneCost, maxBatch: loneRows, budgetMs: loneMs }));
  const busyCost = logged(new CostModel(tuned.basis, model.cost.fit.coefficients), busy);
  await pool.onEveryLane(runs(deps, { cost: busyCost, maxBatch: rows, budgetMs: budgetMs - loneMs }));
  if (lone.shapes.length === 0 || busy.shapes.length === 0)
    throw new CarpoolError(
      'INVALID_REQUEST',
      `${tuned.name}: ${budgetMs / 1000} s were too short for one round of runs; give more with --budget`,
    );
  return {
    model: tuned,
    lone: lone.shapes,
    busy: busy.shapes,
    slo: { ms: model.batcher.sloMs, auto: model.info.batching.sloMs === 'auto' },
  };
};

/** One lane's part; the first lane that ends ends all, since from there on the others would have it easier. */
const runs = (
  { model, samples, clock }: MeasureDeps,
  {
    cost,
    maxBatch,
    budgetMs,
  }: {
    readonly cost: ReturnType<typeof logged>;
    readonly maxBatch: number;
    readonly budgetMs: number;
  },
): ((lane: Lane) => Promise<void>) => {
  const over = new AbortController();
  const cancelEnd = clock.callAt(clock.now() + budgetMs, () => over.abort());
  return async (lane) => {
    await calibrate({
      ...subjectOf(model, samples),
      cost,
      clock,
      maxBatch,
      untilSpent: true,
      budgetMs,
      withLane: (work) => work(lane),
      signal: over.signal,
    }).finally(() => {
      cancelEnd();
      over.abort();
    });
  };
};

const tunedModelOf = ({ info, cost }: ServedModel): TunedModel => {
  const { batch, batching, card, takesTexts, name } = info;
  return {
    name,
    takesTexts,
    basis: cost.basis,
    maxTokens: card.text?.maxTokens ?? 512,
    maxBatch: batch.mode === 'single' ? 1 : (batch.size ?? batching.maxBatch),
    maxBatchTokens: batching.maxBatchTokens,
    growsFreely: batch.mode === 'dynamic',
    ...(batch.reason === undefined ? {} : { reason: batch.reason }),
  };
};
