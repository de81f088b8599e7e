import { CarpoolError } from '../../errors.js';
import type { ItemOutput, TextUnit } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import { softmax } from './activation.js';
import { logitRows } from './class-scores.js';

export const DEFAULT_HYPOTHESIS = 'This example is {}.';

export interface ZeroShot {
  /** How many texts the labels were tried on. */
  readonly texts: number;
  readonly labels: readonly string[];
  /** Each label by itself; else they share one probability. Default false. */
  readonly multiLabel?: boolean;
}

/** Class index of the entailment, -1 where no label begins with `entail`: not a model for zero-shot. */
export const entailmentOf = ({ labels = [] }: Pick<ModelInfo, 'labels'>): number =>
  labels.findIndex((label) => label.toLowerCase().startsWith('entail'));

/** Each text with each label's hypothesis, text by text. `{}` in the template stands for the label. */
export const zeroShotUnits = (
  texts: readonly string[],
  labels: readonly string[],
  template: string = DEFAULT_HYPOTHESIS,
): TextUnit[] => texts.flatMap((text) => labels.map((label) => [text, template.replace('{}', () => label)]));

/**
 * Of each text every label's score, in the order of `labels`, from the items of `zeroShotUnits`; as transformers'
 * ZeroShotClassificationPipeline: softmax of the entailments over the labels or, with `multiLabel` or one label only, of
 * entailment against contradiction.
 * @throws CarpoolError INVALID_REQUEST when the model has no entailment label, EXECUTION_FAILED for odd outputs
 */
export const zeroShotScores = (
  info: ModelInfo,
  items: readonly ItemOutput[],
  { texts, labels, multiLabel = false }: ZeroShot,
): number[][] => {
  const entailment = entailmentOf(info);
  if (entailment === -1)
    throw new CarpoolError(
      'INVALID_REQUEST',
      `${info.name}: candidate labels need a model with a label "entailment", got ${info.labels?.join(', ') ?? 'none'}`,
    );
  const rows = logitRows(info, items);
  const alone = multiLabel || labels.length === 1;
  return Array.from({ length: texts }, (_, text) => {
    const logits = rows.slice(text * labels.length, (text + 1) * labels.length);
    if (!alone) return softmax(logits.map((row) => row[entailment] ?? NaN));
    return logits.map((row) => {
      const contradiction = entailment === 0 ? row.length - 1 : 0;
      return softmax([row[contradiction] ?? NaN, row[entailment] ?? NaN])[1] ?? NaN;
    });
  });
};
