import type { LabelScore } from '../../codec/tasks/index.js';
import { CarpoolError } from '../../errors.js';
import { shortFloat32 } from '../json/short-float32.js';
import { jsonOfTensor } from '../json/tensor-json.js';

/** The digits of a float32. @throws CarpoolError EXECUTION_FAILED for NaN and infinities, which JSON has not */
export const floatJson = (value: number): string => {
  const float = Math.fround(value);
  if (!Number.isFinite(float))
    throw new CarpoolError('EXECUTION_FAILED', `the model gave ${float} for a score`);
  return String(shortFloat32(float));
};

/** `[{"label", "score"}, …]` */
export const labelsJson = (scores: readonly LabelScore[]): string =>
  `[${scores.map(({ label, score }) => `{"label":${JSON.stringify(label)},"score":${floatJson(score)}}`).join(',')}]`;

/** `[{"index", "text"?, "score"}, …]`, highest first, of equals the first. */
export const ranksJson = (scores: readonly number[], texts?: readonly string[]): string => {
  const ranks = scores.map((score, index) => ({ score, index })).sort((a, b) => b.score - a.score);
  const json = ranks.map(({ score, index }) => {
    const text = texts === undefined ? '' : `"text":${JSON.stringify(texts[index] ?? '')},`;
    return `{"index":${index},${text}"score":${floatJson(score)}}`;
  });
  return `[${json.join(',')}]`;
};

export const vectorJson = (data: Float32Array): string =>
  jsonOfTensor({ dtype: 'float32', dims: [data.length], data });

/** Cosine of the angle between the first vector and each other; 0 where one of the two is. */
export const cosinesToFirst = ([first = new Float32Array(), ...others]: readonly Float32Array[]): number[] =>
  others.map((other) => {
    const product = Math.sqrt(dot(first, first) * dot(other, other));
    return product === 0 ? 0 : dot(first, other) / product;
  });

const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
