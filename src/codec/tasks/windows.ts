import type { TextFacts } from '../../infer.js';
import type { LabelScore } from './class-scores.js';
import type { Entity } from './entities.js';

/**
 * Positions of the items of each text: one each, but for windows, whose facts name their text.
 *
 *   sources 0 0 0 1 2 2   ->   [0 1 2] [3] [4 5]
 */
export const itemsByText = (items: number, facts: readonly TextFacts[] | undefined): number[][] => {
  const groups = new Map<number, number[]>();
  for (let item = 0; item < items; item++) {
    const source = facts?.[item]?.source ?? item;
    const group = groups.get(source);
    if (group === undefined) groups.set(source, [item]);
    else group.push(item);
  }
  return [...groups.values()];
};

/** The largest or the mean score of each label over the windows of a text. */
export const combineScores = (
  windows: readonly (readonly LabelScore[])[],
  how: 'max' | 'mean',
): readonly LabelScore[] => {
  const [first = [], ...others] = windows;
  if (others.length === 0) return first;
  return first.map(({ label }, index) => ({
    label,
    score: combineNumbers(
      windows.map((scores) => scores[index]?.score ?? NaN),
      how,
    ),
  }));
};

export const combineNumbers = (values: readonly number[], how: 'max' | 'mean'): number =>
  how === 'max' ? Math.max(...values) : values.reduce((sum, value) => sum + value, 0) / values.length;

/** The mean of the windows' vectors. */
export const meanVector = (windows: readonly Float32Array[]): Float32Array => {
  const [first = new Float32Array(), ...others] = windows;
  if (others.length === 0) return first;
  return first.map((_, i) => windows.reduce((sum, vector) => sum + (vector[i] ?? NaN), 0) / windows.length);
};

/** Of entities that overlap where windows do, the longest, then the likeliest; as transformers' pipeline does it. */
export const withoutOverlaps = (entities: readonly Entity[]): Entity[] => {
  const kept: Entity[] = [];
  for (const entity of entities.toSorted((a, b) => a.start - b.start)) {
    const before = kept.at(-1);
    if (before === undefined || entity.start >= before.end) kept.push(entity);
    else if (isBetter(entity, before)) kept[kept.length - 1] = entity;
  }
  return kept;
};

const isBetter = (a: Entity, b: Entity): boolean => {
  const longer = a.end - a.start - (b.end - b.start);
  return longer > 0 || (longer === 0 && a.score > b.score);
};
