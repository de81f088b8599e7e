import { isNear, type GoldenEntity } from './golden.js';

/** Largest difference of a score that counts as equal. */
export const SCORE_TOLERANCE = 1e-4;

/** Where the entities of one text differ; nothing where they are the reference's. */
export const entityProblems = (
  name: string,
  got: readonly GoldenEntity[],
  expected: readonly GoldenEntity[],
): string[] => {
  if (got.length !== expected.length) return [`${name}: ${got.length} entities, expected ${expected.length}`];
  return expected.flatMap((wanted, i) => {
    const given = got[i];
    const isSame =
      given !== undefined &&
      isNear(given.score, wanted.score, SCORE_TOLERANCE) &&
      JSON.stringify(placeOf(given)) === JSON.stringify(placeOf(wanted));
    return isSame ? [] : [`${name}: ${JSON.stringify(given)}, expected ${JSON.stringify(wanted)}`];
  });
};

const placeOf = ({ entity, entity_group: group, index, word, start, end }: GoldenEntity): unknown[] => [
  entity,
  group,
  index,
  word,
  start,
  end,
];
