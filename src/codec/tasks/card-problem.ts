import { recipeOf } from '../../images/recipe-of.js';
import type { Card } from '../../models/card.js';
import type { Signature } from '../../models/signature.js';

/** Fields of an answer that a card's flag must not hide. */
const TAKEN = [
  'model_name',
  'model_version',
  'outputs',
  'predictions',
  'probabilities',
  'confidence',
  'truncated',
];

/**
 * Why a card doesn't fit its ONNX file, for the loader to refuse the model with; undefined when it does.
 * What only shows in a run (the shape behind a symbolic dimension) is checked there.
 */
export const cardProblem = (card: Card, signature: Signature): string | undefined => {
  const { classifier, logits } = card;
  const { outputs } = signature;
  const known = outputs.map(({ name }) => name).join(', ');
  const wanted = [
    ['logits', logits],
    ['embedding.output', card.embedding.output],
    ['classifier.predictions', classifier?.predictions],
    ['classifier.probabilities', classifier?.probabilities],
  ] as const;
  for (const [key, name] of wanted)
    if (name !== undefined && !outputs.some((output) => output.name === name))
      return `${key}: expected one of the model's outputs (${known}), got "${name}"`;
  if (card.task === 'tabular-classification' && classifier === undefined)
    return 'classifier: expected with task tabular-classification, got nothing';
  if (card.task === 'image-classification') {
    const recipe = recipeOf(card.image, signature);
    if ('problem' in recipe) return recipe.problem;
  }
  if (classifier === undefined) return undefined;
  if (TAKEN.includes(classifier.flag))
    return `classifier.flag: "${classifier.flag}" is already a field of the answer`;
  const classes = outputs.find(({ name }) => name === classifier.probabilities)?.shape[1];
  return typeof classes === 'number' && classifier.positive >= classes
    ? `classifier.positive: expected less than the ${classes} classes of ${classifier.probabilities}, got ${classifier.positive}`
    : undefined;
};
