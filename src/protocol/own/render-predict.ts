import type { InferRequest, InferResult } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import type { LineAnswer, PredictAnswer } from './answer.js';
import { objectJson } from './members.js';
import { taskFields, textMembers } from './render-texts.js';

/**
 * Answer of `POST /predict`, by the model's task: `predictions` with `{"label", "confidence"}` or `{"score"}`, or
 * `entities`, or `embeddings`; one a text. Confidence and scores of labels have three decimals.
 */
export const renderPredict = (
  info: ModelInfo,
  answer: PredictAnswer,
  request: InferRequest,
  result: InferResult,
): string => objectJson(taskFields(info, answer, request, result));

/** One text as a line of NDJSON: `{"index", …}` and what `/predict` says of it. */
export const renderLine = (
  info: ModelInfo,
  answer: LineAnswer,
  request: InferRequest,
  result: InferResult,
): string => {
  const [members = []] = textMembers(info, answer, request, result);
  return `${objectJson([['index', String(answer.index)], ...members])}\n`;
};
