import type { Card } from '../../models/card.js';

export type Activation = NonNullable<Card['activation']>;

/** Softmax that can't overflow: shifted by the largest logit. */
export const softmax = (logits: readonly number[]): number[] => {
  let max = -Infinity;
  for (const logit of logits) max = Math.max(max, logit);
  const powers = logits.map((logit) => Math.exp(logit - max));
  let sum = 0;
  for (const power of powers) sum += power;
  return powers.map((power) => power / sum);
};

export const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/** Index of the largest value; of equals the first, 0 where nothing compares (NaN). */
export const argmax = (values: readonly number[]): number => {
  let best = 0;
  for (const [index, value] of values.entries()) if (value > (values[best] ?? 0)) best = index;
  return best;
};

/** As transformers' TextClassificationPipeline chooses where the config says nothing. */
export const usualActivation = (classes: number): Activation => (classes === 1 ? 'sigmoid' : 'softmax');

export const activate = (logits: readonly number[], activation: Activation): readonly number[] => {
  switch (activation) {
    case 'softmax':
      return softmax(logits);
    case 'sigmoid':
      return logits.map(sigmoid);
    case 'none':
      return logits;
  }
};
