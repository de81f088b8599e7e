import type { ItemOutput } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import { activate, usualActivation } from './activation.js';
import { matrixOf, outputAt, outputIndex } from './outputs.js';

export interface LabelScore {
  readonly label: string;
  /** A probability in 0..1; a logit where `raw` was asked for or the card's activation is `none`. */
  readonly score: number;
}

export interface ScoreOptions {
  /** The logits as they are. */
  readonly raw?: boolean;
}

/** Rows of logits of all items, in order. @throws CarpoolError EXECUTION_FAILED unless they are `[rows, classes]` */
export const logitRows = (info: ModelInfo, items: readonly ItemOutput[]): number[][] => {
  const index = outputIndex(info, info.card.logits);
  const logits: number[][] = [];
  for (const item of items) {
    const { rows, columns, values } = matrixOf(outputAt(info, item, index), 'the logits');
    for (let row = 0; row < rows; row++)
      logits.push(Array.from({ length: columns }, (_, column) => values[row * columns + column] ?? NaN));
  }
  return logits;
};

export const labelAt = ({ labels }: ModelInfo, index: number): string => labels?.[index] ?? `LABEL_${index}`;

/**
 * Every label's score by class index, for each row. Labels are the model's, `LABEL_<index>` where it has none.
 * @throws CarpoolError EXECUTION_FAILED when the output isn't what the card says
 */
export const classScores = (
  info: ModelInfo,
  items: readonly ItemOutput[],
  { raw = false }: ScoreOptions = {},
): LabelScore[][] =>
  logitRows(info, items).map((logits) => {
    const activation = raw ? 'none' : (info.card.activation ?? usualActivation(logits.length));
    return activate(logits, activation).map((score, index) => ({ label: labelAt(info, index), score }));
  });

/** Highest first, of equals the first by index; the best `k`, all by default. */
export const topLabels = (scores: readonly LabelScore[], k = Infinity): LabelScore[] =>
  scores.toSorted((a, b) => b.score - a.score).slice(0, k);
