import {
  classScores,
  combineNumbers,
  combineScores,
  embeddingsOf,
  entitiesOf,
  itemsByText,
  meanVector,
  normalized,
  predictionOf,
  rankScores,
  topLabels,
  withoutOverlaps,
  zeroShotScores,
  type Entity,
  type LabelScore,
} from '../../codec/tasks/index.js';
import type { InferResult, TextUnit } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import { shortFloat32 } from '../json/short-float32.js';
import { jsonOfTensor } from '../json/tensor-json.js';
import type { TextAnswer } from './answer.js';
import { number, objectJson, probability, type Member } from './members.js';

/** What a text's answer consists of: `label`, `confidence` and so on. */
export type Members = readonly Member[];

/** The answer of the model's task for each text. */
export const taskMembersOf = (
  info: ModelInfo,
  answer: TextAnswer,
  texts: readonly TextUnit[],
  result: InferResult,
): readonly Members[] => {
  const { zeroShot, combine = 'max' } = answer;
  if (zeroShot !== undefined)
    return zeroShotScores(info, result.items, zeroShot).map((scores) => {
      const labelled = scores.map((score, i) => ({ label: zeroShot.labels[i] ?? '', score }));
      return labelMembers(info, labelled, { ...answer, scores: answer.scores ?? true });
    });
  const groups = itemsByText(result.items.length, result.texts);
  switch (info.card.task) {
    case 'token-classification':
      return entityMembers(info, answer, texts, result, groups);
    case 'embedding':
      return embeddingMembers(info, answer, result, groups);
    case 'rerank': {
      const scores = rankScores(info, result.items);
      return groups.map((items) => {
        const score = combineNumbers(pick(scores, items), combine);
        return [['score', number(score)]];
      });
    }
    case 'text-classification':
    case 'image-classification':
    case 'tabular-classification':
    case 'tensor': {
      const scores = classScores(info, result.items);
      // Rows of tensors are no texts: there may be several in an item.
      if (result.texts === undefined) return scores.map((row) => labelMembers(info, row, answer));
      return groups.map((items) => labelMembers(info, combineScores(pick(scores, items), combine), answer));
    }
  }
};

const pick = <T>(values: readonly T[], positions: readonly number[]): T[] =>
  positions.flatMap((position) => values.slice(position, position + 1));

const labelMembers = (info: ModelInfo, scores: readonly LabelScore[], answer: TextAnswer): Members => {
  const { label, confidence } = predictionOf(scores);
  // A regression's value is no probability, and its digits count.
  const digits = info.card.activation === 'none' ? number : probability;
  const members: Members = [
    ['label', JSON.stringify(label)],
    ['confidence', digits(confidence)],
  ];
  if (answer.scores !== true && answer.topK === undefined) return members;
  const shown = answer.topK === undefined ? scores : topLabels(scores, answer.topK);
  const all = shown.map(({ label, score }): Member => [label, digits(score)]);
  return [...members, ['scores', objectJson(all)]];
};

const entityMembers = (
  info: ModelInfo,
  { aggregation }: TextAnswer,
  texts: readonly TextUnit[],
  result: InferResult,
  groups: readonly (readonly number[])[],
): readonly Members[] => {
  const found = entitiesOf(info, texts, result, aggregation === undefined ? {} : { aggregation });
  return groups.map((items) => {
    const entities = pick(found, items).flat();
    const shown = items.length > 1 ? withoutOverlaps(entities) : entities;
    return [['entities', `[${shown.map(entityJson).join(',')}]`]];
  });
};

const entityJson = (entity: Entity): string =>
  JSON.stringify({ ...entity, score: shortFloat32(Math.fround(entity.score)) });

const embeddingMembers = (
  info: ModelInfo,
  { normalize = info.card.embedding.normalize, dimensions }: TextAnswer,
  result: InferResult,
  groups: readonly (readonly number[])[],
): readonly Members[] => {
  // Normalised once, after the windows of a text have become one.
  const options = { normalize: false, ...(dimensions === undefined ? {} : { dimensions }) };
  const vectors = embeddingsOf(info, result, options);
  return groups.map((items) => {
    const mean = meanVector(pick(vectors, items));
    const data = normalize ? normalized(mean) : mean;
    return [['embedding', jsonOfTensor({ dtype: 'float32', dims: [data.length], data })]];
  });
};
