import {
  classScores,
  embeddingsOf,
  entitiesOf,
  rankScores,
  topLabels,
  zeroShotScores,
  type Entity,
} from '../../codec/tasks/index.js';
import { activate } from '../../codec/tasks/activation.js';
import type { InferRequest, InferResult } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import { cosinesToFirst, floatJson, labelsJson, ranksJson, vectorJson } from '../common/scores-json.js';
import type { HfAnswer } from './answer.js';

/** @throws CarpoolError EXECUTION_FAILED for outputs that are not what the task gives, INVALID_REQUEST for `dimensions` */
export const renderHf = (
  info: ModelInfo,
  answer: HfAnswer,
  request: InferRequest,
  result: InferResult,
): string => {
  if (answer.ranks !== undefined)
    return ranksJson(rankScores(info, result.items, answer.ranks), answer.ranks.texts);
  if (answer.similarity === true)
    return `[${cosinesToFirst(embeddingsOf(info, result)).map(floatJson).join(',')}]`;
  const texts = hfTexts(info, answer, request, result);
  const [first = '[]'] = texts;
  if (!answer.single) return `[${texts.join(',')}]`;
  // A list of one also for a text by itself: so the API has it, and so its clients read it.
  return isLabels(info, answer) ? `[${first}]` : first;
};

/** Tasks whose single answers stand by themselves. */
const PLAIN: readonly ModelInfo['card']['task'][] = [
  'embedding',
  'token-classification',
  'image-classification',
];

const isLabels = ({ card }: ModelInfo, { zeroShot }: HfAnswer): boolean =>
  zeroShot === undefined && !PLAIN.includes(card.task);

/** Each text's answer: `[{"label", "score"}, …]` best first, entities, or a vector. */
export const hfTexts = (
  info: ModelInfo,
  answer: HfAnswer,
  { input }: InferRequest,
  result: InferResult,
): string[] => {
  const { zeroShot, topK, apply, aggregation } = answer;
  if (zeroShot !== undefined)
    return zeroShotScores(info, result.items, zeroShot).map((scores) =>
      labelsJson(topLabels(scores.map((score, i) => ({ label: zeroShot.labels[i] ?? '', score })))),
    );
  switch (info.card.task) {
    case 'embedding':
      return embeddingsOf(info, result, answer).map(vectorJson);
    case 'token-classification': {
      const units = input.kind === 'texts' ? input.texts : [];
      const found = entitiesOf(info, units, result, aggregation === undefined ? {} : { aggregation });
      return found.map((entities) => `[${entities.map(entityJson).join(',')}]`);
    }
    case 'rerank':
    case 'text-classification':
    case 'image-classification':
    case 'tabular-classification':
    case 'tensor':
      return classScores(info, result.items, { raw: apply !== undefined }).map((scores) => {
        const values = scores.map(({ score }) => score);
        const applied = apply === undefined ? values : activate(values, apply);
        const labelled = scores.map(({ label }, i) => ({ label, score: applied[i] ?? NaN }));
        return labelsJson(topLabels(labelled, topK));
      });
  }
};

const entityJson = ({ score, word, ...rest }: Entity): string => {
  const { entity, entity_group: group, start, end, index } = rest;
  const head =
    group === undefined ? `"entity":${JSON.stringify(entity)}` : `"entity_group":${JSON.stringify(group)}`;
  const at = index === undefined ? '' : `"index":${index},`;
  return `{${head},"score":${floatJson(score)},${at}"word":${JSON.stringify(word)},"start":${start},"end":${end}}`;
};
