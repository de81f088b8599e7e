import { classScores, predictionOf, topLabels } from '../../codec/tasks/index.js';
import type { InferResult } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import type { TextAnswer } from './answer.js';
import { number, objectJson, probability, type Member } from './members.js';

/** Labels of `top` where the request does not say. */
const USUAL_TOP = 5;

/**
 * `predictions` of images: `{"label", "confidence", "top": [{"label", "score"}, …]}`, best first. A list, for labels of
 * large models are not all different.
 */
export const imagePredictions = (
  info: ModelInfo,
  { topK = USUAL_TOP, scores: all = false }: TextAnswer,
  result: InferResult,
): Member => {
  // What is no probability is shown in full.
  const digits = info.card.activation === 'none' ? number : probability;
  const images = classScores(info, result.items).map((scores) => {
    const { label, confidence } = predictionOf(scores);
    const top = topLabels(scores, all ? Infinity : topK).map(({ label, score }) =>
      objectJson([
        ['label', JSON.stringify(label)],
        ['score', digits(score)],
      ]),
    );
    return objectJson([
      ['label', JSON.stringify(label)],
      ['confidence', digits(confidence)],
      ['top', `[${top.join(',')}]`],
    ]);
  });
  return ['predictions', `[${images.join(',')}]`];
};
