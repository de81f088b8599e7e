import { classScores, embeddingsOf, rankScores, topLabels } from '../../codec/tasks/index.js';
import { embeddingOutput } from '../../codec/tasks/embeddings.js';
import { CarpoolError } from '../../errors.js';
import type { InferResult } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import type { Tensor } from '../../tensor.js';
import { jsonOfTensor } from '../json/tensor-json.js';
import { cosinesToFirst, floatJson, labelsJson, ranksJson, vectorJson } from '../common/scores-json.js';
import type { TeiAnswer } from './answer.js';

/** @throws CarpoolError EXECUTION_FAILED for outputs that are not what the task gives, INVALID_REQUEST for `dimensions` */
export const renderTei = (info: ModelInfo, answer: TeiAnswer, result: InferResult): string => {
  const { items } = result;
  switch (answer.call) {
    case 'predict': {
      const lists = classScores(info, items, { raw: answer.raw }).map((scores) =>
        labelsJson(topLabels(scores)),
      );
      return answer.single ? (lists[0] ?? '[]') : listJson(lists);
    }
    case 'embed':
      return listJson(embeddingsOf(info, result, answer).map(vectorJson));
    case 'embed_all':
      return listJson(tokenVectors(info, result));
    case 'rerank':
      return ranksJson(rankScores(info, items, { raw: answer.raw }), answer.texts);
    case 'similarity':
      return listJson(cosinesToFirst(embeddingsOf(info, result, { normalize: false })).map(floatJson));
    case 'tokenize':
    case 'decode':
      throw new CarpoolError('INTERNAL', `${answer.call}: no model runs for it`);
  }
};

const listJson = (values: readonly string[]): string => `[${values.join(',')}]`;

/** A vector for every token, special ones included. */
const tokenVectors = (info: ModelInfo, { items, texts = [] }: InferResult): string[] => {
  const index = embeddingOutput(info);
  return items.map(({ outputs }, item) => {
    const tensor: Tensor | undefined = outputs[index];
    const [rows, tokens, size, ...more] = tensor?.dims ?? [];
    if (tensor === undefined || rows !== 1 || tokens === undefined || size === undefined || more.length > 0)
      throw new CarpoolError(
        'EXECUTION_FAILED',
        `${info.name}: its vectors are those of whole texts already, [${tensor?.dims.join(',') ?? ''}]`,
      );
    // The rest is padding to the length of the batch.
    const own = Math.min(tokens, texts[item]?.tokens ?? tokens);
    return jsonOfTensor({ ...tensor, dims: [tokens, size] }, 0, own);
  });
};
