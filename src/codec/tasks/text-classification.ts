import type { ItemOutput } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import { argmax } from './activation.js';
import { classScores, type LabelScore } from './class-scores.js';

export interface TextPrediction {
  /** The likeliest label; of equals the first. */
  readonly label: string;
  /** Its score. */
  readonly confidence: number;
  /** Every label's score, by class index. */
  readonly scores: readonly LabelScore[];
}

/** The best of one row's scores. */
export const predictionOf = (scores: readonly LabelScore[]): TextPrediction => {
  const best = scores[argmax(scores.map(({ score }) => score))];
  return { label: best?.label ?? 'LABEL_0', confidence: best?.score ?? NaN, scores };
};

/**
 * Logits `[rows, classes]` of every item to one prediction a row, in order.
 * @throws CarpoolError EXECUTION_FAILED when the output isn't what the card says.
 */
export const classifyTexts = (info: ModelInfo, items: readonly ItemOutput[]): TextPrediction[] =>
  classScores(info, items).map(predictionOf);
