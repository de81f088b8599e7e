import { CarpoolError } from '../../errors.js';
import type { ItemOutput } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import type { Tensor } from '../../tensor.js';
import { matrixOf, numbersOf, outputAt, outputIndex } from './outputs.js';

/** What the card's `classifier` declares, row by row in the order of the request. */
export interface RowPredictions {
  /** Class index of each row. */
  readonly predictions: readonly number[];
  /** Probability of the positive class of each row. */
  readonly confidence: readonly number[];
  /** Is the prediction the positive class? */
  readonly flags: readonly boolean[];
  /** The probabilities `[rows, classes]` as the model gave them, one tensor an item. */
  readonly probabilities: readonly Tensor[];
}

/**
 * Reads the outputs that the card's `classifier` names; undefined where the card has none.
 * @throws CarpoolError EXECUTION_FAILED when the outputs aren't what the card says.
 */
export const classifyRows = (info: ModelInfo, items: readonly ItemOutput[]): RowPredictions | undefined => {
  const { classifier } = info.card;
  if (classifier === undefined) return undefined;
  const predictionsAt = outputIndex(info, classifier.predictions);
  const probabilitiesAt = outputIndex(info, classifier.probabilities);
  const predictions: number[] = [];
  const confidence: number[] = [];
  const probabilities: Tensor[] = [];
  for (const item of items) {
    const classes = numbersOf(outputAt(info, item, predictionsAt));
    const tensor = outputAt(info, item, probabilitiesAt);
    const { rows, columns, values } = matrixOf(tensor, 'the probabilities');
    if (classes.length !== rows || classifier.positive >= columns)
      throw new CarpoolError(
        'EXECUTION_FAILED',
        `${info.name}: ${classes.length} predictions and [${rows},${columns}] probabilities do not fit the card`,
      );
    probabilities.push(tensor);
    for (let row = 0; row < rows; row++) {
      predictions.push(classes[row] ?? NaN);
      confidence.push(values[row * columns + classifier.positive] ?? NaN);
    }
  }
  const flags = predictions.map((prediction) => prediction === classifier.positive);
  return { predictions, confidence, flags, probabilities };
};
