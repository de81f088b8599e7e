import type { Codec } from '../../codec/codec.js';
import type { LanePool } from '../../executor/pool.js';
import { batchAxisOf } from '../batch-axis.js';
import { servedClass } from '../joining.js';
import type { BatchMode, InvarianceClass, ModelInfo } from '../model-info.js';
import { encodeSamples, maxTokensOf } from '../sample-texts.js';
import type { ServedModel } from '../served-model.js';
import { examine } from './examine.js';
import type { Measured } from './measure.js';
import { classOf, reasonOf } from './verdict.js';

/** What a thorough test of one loaded model found. */
export interface Verification {
  readonly model: ModelInfo;
  /** undefined where no rows can be joined at all: `model.batch.reason` says why. */
  readonly measured: Measured | undefined;
  readonly tolerance: number;
  /** The largest class of neighbours that changed no answer. */
  readonly found: InvarianceClass;
  readonly served: InvarianceClass;
  /** Is no row, as served, given a neighbour that changes its answer? */
  readonly ok: boolean;
  /** What leaks, in words; undefined where nothing does. */
  readonly reason: string | undefined;
}

const ORDER: readonly InvarianceClass[] = ['one-by-one', 'equal-lengths', 'any'];

/**
 * Tries a loaded model with batches of all sizes up to `maxBatch` and lengths up to `maxTokens`, several times over. Each
 * run asks for a lane of its own, so that a gateway that serves goes on serving.
 *
 * @param budgetMs lane time
 * @throws WORKER_LOST
 */
export const verify = async (
  model: ServedModel,
  { codec, pool, budgetMs }: { readonly codec: Codec; readonly pool: LanePool; readonly budgetMs: number },
): Promise<Verification> => {
  const { info, key } = model;
  const { card, signature, batching } = info;
  const mode = shapeModeOf(info);
  const measured =
    mode === undefined
      ? undefined
      : await examine(
          {
            signature,
            mode,
            batching,
            maxTokens: maxTokensOf(card),
            samples: info.takesTexts ? await encodeSamples(codec, key, card) : model.samples,
            run: (batch, fillTo) => pool.onLane((lane) => lane.run(key, batch, fillTo)),
          },
          { budgetMs, thorough: true },
        );
  const { tolerance } = card.selfTest;
  const served = servedClass(info);
  const found = measured === undefined ? served : classOf(measured, tolerance);
  return {
    model: info,
    measured,
    tolerance,
    found,
    served,
    ok: ORDER.indexOf(served) <= ORDER.indexOf(found),
    reason: measured === undefined || found === 'any' ? undefined : reasonOf(measured, found, tolerance),
  };
};

/** How rows could be joined by the shapes alone, also where they are not because they change each other. */
const shapeModeOf = ({ batch, signature }: ModelInfo): BatchMode | undefined => {
  if (batch.mode === 'single' && batch.invariance === undefined) return undefined;
  const axis = batchAxisOf(signature);
  if (axis.kind === 'none') return undefined;
  return axis.kind === 'fixed' ? { mode: 'fixed', size: axis.size } : { mode: 'dynamic' };
};
