import type { ItemOutput } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import { matrixOf, outputAt, outputIndex } from './outputs.js';

export interface LabelScore {
  readonly label: string;
  /** Probability in 0..1. */
  readonly score: number;
}

export interface TextPrediction {
  /** The likeliest label; of equals the first. */
  readonly label: string;
  /** Its probability. */
  readonly confidence: number;
  /** Every label's probability, by class index. */
  readonly scores: readonly LabelScore[];
}

/** Softmax that can't overflow: shifted by the largest logit. */
export const softmax = (logits: readonly number[]): number[] => {
  let max = -Infinity;
  for (const logit of logits) max = Math.max(max, logit);
  const powers = logits.map((logit) => Math.exp(logit - max));
  let sum = 0;
  for (const power of powers) sum += power;
  return powers.map((power) => power / sum);
};

/** Index of the largest value; of equals the first, 0 where nothing compares (NaN). */
export const argmax = (values: readonly number[]): number => {
  let best = 0;
  for (const [index, value] of values.entries()) if (value > (values[best] ?? 0)) best = index;
  return best;
};

const predict = (logits: readonly number[], labels: readonly string[]): TextPrediction => {
  const scores = softmax(logits).map((score, index) => ({ label: labels[index] ?? `LABEL_${index}`, score }));
  const best = scores[argmax(logits)];
  return { label: best?.label ?? 'LABEL_0', confidence: best?.score ?? NaN, scores };
};

/**
 * Logits `[rows, classes]` of every item to one prediction a row, in order. Labels are the model's, `LABEL_<index>`
 * where it has none. @throws CarpoolError EXECUTION_FAILED when the output isn't what the card says.
 */
export const classifyTexts = (info: ModelInfo, items: readonly ItemOutput[]): TextPrediction[] => {
  const index = outputIndex(info, info.card.logits);
  const labels = info.labels ?? [];
  const predictions: TextPrediction[] = [];
  for (const item of items) {
    const { rows, columns, values } = matrixOf(outputAt(info, item, index), 'the logits');
    for (let row = 0; row < rows; row++) {
      const logits = Array.from({ length: columns }, (_, column) => values[row * columns + column] ?? NaN);
      predictions.push(predict(logits, labels));
    }
  }
  return predictions;
};
