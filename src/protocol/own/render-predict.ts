import { classifyTexts, type LabelScore } from '../../codec/tasks/index.js';
import type { InferResult } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import type { PredictAnswer } from './answer.js';

/** Three decimals; NaN stays and becomes null in JSON. */
const probability = (value: number): string => JSON.stringify(Math.round(value * 1000) / 1000);

const scoresJson = (scores: readonly LabelScore[]): string =>
  `{${scores.map(({ label, score }) => `${JSON.stringify(label)}:${probability(score)}`).join(',')}}`;

/** `[{"label", "confidence"}, …]`, one a row; with `scores` and, where a text was cut, `"truncated": true`. */
export const textPredictionsJson = (info: ModelInfo, withScores: boolean, result: InferResult): string => {
  const predictions = classifyTexts(info, result.items).map(({ label, confidence, scores }, index) => {
    const all = withScores ? `,"scores":${scoresJson(scores)}` : '';
    const cut = result.texts?.[index]?.truncated === true ? ',"truncated":true' : '';
    return `{"label":${JSON.stringify(label)},"confidence":${probability(confidence)}${all}${cut}}`;
  });
  return `[${predictions.join(',')}]`;
};

/** Answer of `POST /predict`; the model must be a text classifier. Confidence and scores have three decimals. */
export const renderPredict = (info: ModelInfo, { scores }: PredictAnswer, result: InferResult): string =>
  `{"predictions":${textPredictionsJson(info, scores, result)}}`;
