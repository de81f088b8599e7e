import { expect, it } from '@jest/globals';
import { geometryOf, workOf } from '../../src/images/geometry.js';
import type { Recipe } from '../../src/images/recipe.js';

const recipe = (over: Pick<Recipe, 'resize' | 'crop'>): Recipe => ({
  filter: 'bilinear',
  factor: 1,
  mean: [0, 0, 0],
  std: [1, 1, 1],
  dtype: 'uint8',
  layout: 'nhwc',
  flip: false,
  ...over,
});
const SQUARE = { width: 224, height: 224 };

it.each<[string, Pick<Recipe, 'resize' | 'crop'>, [number, number], [number, number]]>([
  // 256 × 500 / 333 = 384.38
  ['the shorter edge, the other cut off', { resize: { edge: 256 } }, [333, 500], [256, 384]],
  ['the same, lying', { resize: { edge: 256 } }, [500, 333], [384, 256]],
  ['both sides', { resize: SQUARE }, [500, 333], [224, 224]],
  ['neither', {}, [500, 333], [500, 333]],
])('resizes by %s', (_what, over, [width, height], to) => {
  const { x, y } = geometryOf(recipe(over), { width, height });
  expect([x.to, y.to]).toEqual(to);
});

it.each([
  [256, 224, 16],
  [257, 224, 16],
  [31, 32, -1],
  [30, 33, -2],
])('of %i pixels the middle %i begin at %i', (from, size, offset) => {
  const crop = { width: size, height: size };
  const { x } = geometryOf(recipe({ crop }), { width: from, height: from });
  expect(x.offset).toBe(offset);
});

it('counts the pixels that it reads and those between', () => {
  const asked = recipe({ resize: { width: 10, height: 10 } });
  const geometry = geometryOf(asked, { width: 100, height: 40 });
  expect(workOf(geometry, asked, 5_000, 'body')).toBe(100 * 40 + 10 * 40);
});

it.each<[string, Recipe['resize'], [number, number]]>([
  ['many rows between', SQUARE, [1, 50_000]],
  ['a long side without a crop', { edge: 224 }, [2, 20_000]],
])('refuses few pixels that would become millions: %s', (_what, resize, [width, height]) => {
  const asked = recipe(resize === undefined ? {} : { resize });
  const geometry = geometryOf(asked, { width, height });
  expect(() => workOf(geometry, asked, 1_000_000, 'images[3]')).toThrow(
    `images[3]: ${width}x${height} pixels can't be resized to ${geometry.x.to}x${geometry.y.to} with at most 1000000`,
  );
});

it('takes long images of which a crop leaves little', () => {
  const asked = recipe({ resize: { edge: 224 }, crop: SQUARE });
  const geometry = geometryOf(asked, { width: 2, height: 20_000 });
  expect(workOf(geometry, asked, 1_000_000, 'body')).toBeLessThan(1_000);
});
