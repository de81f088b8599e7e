export { cardProblem } from './card-problem.js';
export { classifyRows, type RowPredictions } from './tabular-classification.js';
export { classifyTexts, type LabelScore, type TextPrediction } from './text-classification.js';
