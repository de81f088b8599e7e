import type { Batching } from '../../config/batching.js';
import { joinPayloads, type Payload } from '../../executor/join.js';
import type { LaneBatch, LaneOutput } from '../../executor/protocol.js';
import type { Tensor } from '../../tensor.js';
import type { BatchMode } from '../model-info.js';
import type { Signature } from '../signature.js';
import { planOf, type Effort } from './effort.js';
import { measure, type Measured } from './measure.js';
import { tensorRows, textRows } from './rows.js';
import { trialsOf } from './trials.js';

export interface Examinee {
  readonly signature: Signature;
  /** What its shape allows: `dynamic` or `fixed`. */
  readonly mode: BatchMode;
  readonly batching: Pick<Batching, 'maxBatch' | 'maxBatchTokens'>;
  /** Longest text. */
  readonly maxTokens: number;
  /** Encoded texts, or one row of tensors that is known to run. */
  readonly samples: readonly Payload[];
  readonly run: (batch: LaneBatch, fillTo?: number) => Promise<LaneOutput>;
}

/**
 * Measures how far rows change each other.
 * @returns undefined where no two rows ever ride together, or there is nothing to try it with
 * @throws WORKER_LOST
 */
export const examine = async (
  { signature, mode, batching, maxTokens, samples, run }: Examinee,
  effort: Effort,
): Promise<Measured | undefined> => {
  const texts = samples.flatMap((sample) => (sample.kind === 'text' ? [sample.ids] : []));
  const [sample] = samples;
  if (sample === undefined) return undefined;
  const plan = planOf(
    effort,
    {
      // With a maxBatch of 1 pairs are tried all the same: a request of tensors that leak is to be run whole.
      rows: mode.size ?? Math.max(2, batching.maxBatch),
      tokens: batching.maxBatchTokens,
      longest: sample.kind === 'text' ? maxTokens : undefined,
      values: sample.kind === 'text' ? maxTokens : valuesOf(sample.inputs) / sample.rows,
    },
    (seed) => (sample.kind === 'text' ? textRows(texts, seed) : tensorRows(sample, seed)),
  );
  if (plan.sizes.length === 0) return undefined;
  return measure({
    outputs: signature.outputs.map(({ name }) => name),
    trials: trialsOf(plan),
    budgetMs: effort.budgetMs,
    run: (payloads) => run(joinPayloads(payloads), mode.size),
  });
};

const valuesOf = (inputs: readonly Tensor[]): number =>
  inputs.reduce((values, { data }) => values + data.length, 0);
