export { cardProblem } from './card-problem.js';
export { classScores, topLabels, type LabelScore, type ScoreOptions } from './class-scores.js';
export { embeddingOutput, embeddingsOf, normalized, type EmbeddingOptions } from './embeddings.js';
export { AGGREGATIONS, entitiesOf, type Aggregation, type Entity, type EntityOptions } from './entities.js';
export { rankScores } from './rerank.js';
export { classifyRows, type RowPredictions } from './tabular-classification.js';
export { classifyTexts, predictionOf, type TextPrediction } from './text-classification.js';
export {
  DEFAULT_HYPOTHESIS,
  entailmentOf,
  zeroShotScores,
  zeroShotUnits,
  type ZeroShot,
} from './zero-shot.js';
export { combineNumbers, combineScores, itemsByText, meanVector, withoutOverlaps } from './windows.js';
