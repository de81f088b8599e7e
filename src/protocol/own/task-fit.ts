import { entailmentOf } from '../../codec/tasks/index.js';
import { CarpoolError } from '../../errors.js';
import type { InferOptions } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import type { Parsed } from '../parse.js';
import type { InferAnswer, PredictAnswer, TextAnswer } from './answer.js';

type Task = ModelInfo['card']['task'];

export interface OwnParsed extends Parsed {
  readonly answer: PredictAnswer | InferAnswer;
}

/** What means something for one task only. */
const FITTING: readonly (readonly [key: keyof TextAnswer, shown: string, tasks: readonly Task[]])[] = [
  ['aggregation', 'aggregation', ['token-classification']],
  ['normalize', 'normalize', ['embedding']],
  ['dimensions', 'dimensions', ['embedding']],
  ['topK', 'top_k', ['text-classification', 'image-classification']],
  ['scores', 'scores', ['text-classification', 'image-classification']],
  ['zeroShot', 'candidate_labels', ['text-classification']],
];

/**
 * A parsed request as this model needs it: entities need the places of tokens.
 * @throws CarpoolError INVALID_REQUEST for what the model's task does not have
 */
export const fitToTask = (info: ModelInfo, { request, answer }: Parsed): OwnParsed => {
  const { task } = info.card;
  if (answer.kind !== 'predict' && answer.kind !== 'infer')
    throw new CarpoolError('INTERNAL', `${answer.kind}: not an answer of the own protocol`);
  for (const [key, shown, tasks] of FITTING)
    if (isAsked(answer[key]) && !tasks.includes(task))
      throw new CarpoolError(
        'INVALID_REQUEST',
        `${shown}: means something for ${tasks.join(', ')} only; ${info.name} is for ${task}`,
      );
  if (answer.zeroShot !== undefined && entailmentOf(info) === -1)
    throw new CarpoolError(
      'INVALID_REQUEST',
      `candidate_labels: expected a model with a label "entailment"; ${info.name} has ${info.labels?.join(', ') ?? 'no labels'}`,
    );
  if (request.input.kind !== 'texts') return { request, answer };
  const options = { ...request.options, ...needsOf(task, request.options) };
  return { request: { ...request, options }, answer };
};

const needsOf = (task: Task, { outputs = [] }: InferOptions): Partial<InferOptions> => {
  if (task === 'token-classification') return { wants: { ids: true, offsets: true } };
  return task === 'embedding' && outputs.length === 0 ? { pooled: true } : {};
};

const isAsked = (value: unknown): boolean => value !== undefined && value !== false;
