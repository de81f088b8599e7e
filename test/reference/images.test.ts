import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Filter } from '../../src/images/filters.js';
import { ImageReader } from '../../src/images/reader.js';
import type { Recipe } from '../../src/images/recipe.js';
import { stripValues } from '../../src/images/strip-values.js';
import { imageGoldenOf, REFERENCE_IMAGES } from './golden.js';

interface Resized {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly squeezed: Readonly<Record<string, string>>;
  readonly cropped: Readonly<Record<string, string>>;
}
interface ResizeGolden {
  readonly side: number;
  readonly shortest_edge: number;
  readonly cases: readonly Resized[];
}

// Of make_images.py; its shape is held by the tests below.
const GOLDEN = JSON.parse(readFileSync(path.join(REFERENCE_IMAGES, 'golden.json'), 'utf8')) as ResizeGolden;
const SIDES = { width: GOLDEN.side, height: GOLDEN.side };

const reader = new ImageReader({
  values: (strip) => Promise.resolve(stripValues(strip)),
  maxPixels: 1_000_000,
});
const BYTES: Pick<Recipe, 'factor' | 'mean' | 'std' | 'dtype' | 'layout' | 'flip'> = {
  factor: 1,
  mean: [0, 0, 0],
  std: [1, 1, 1],
  dtype: 'uint8',
  layout: 'nhwc',
  flip: false,
};

/** Where our bytes are not PIL's. */
const problemOf = async (
  file: string,
  recipe: Pick<Recipe, 'resize' | 'crop' | 'filter'>,
  expected: string,
): Promise<string | undefined> => {
  const bytes = readFileSync(path.join(REFERENCE_IMAGES, file));
  const [tensor] = await reader.read({ kind: 'images', images: [bytes] }, { ...BYTES, ...recipe });
  const got = [...((tensor?.data ?? []) as Uint8Array)];
  const wanted = Buffer.from(expected, 'base64');
  if (got.length !== wanted.length) return `${file}: ${got.length} bytes, expected ${wanted.length}`;
  const off = Math.max(...got.map((byte, at) => Math.abs(byte - (wanted[at] ?? NaN))));
  return off === 0 ? undefined : `${file} ${recipe.filter}: off by up to ${off}`;
};

const problems = async (found: readonly Promise<string | undefined>[]): Promise<(string | undefined)[]> =>
  (await Promise.all(found)).filter((problem) => problem !== undefined);

describe.each<Filter>(['lanczos', 'bilinear', 'bicubic'])('%s', (filter) => {
  it('squeezes every image to the bytes that PIL makes', async () => {
    const found = GOLDEN.cases.map(({ file, squeezed }) =>
      problemOf(file, { resize: SIDES, filter }, squeezed[filter] ?? ''),
    );
    expect(await problems(found)).toEqual([]);
    expect(found).toHaveLength(21);
  });

  it('crops the middle of every image to the bytes that transformers makes', async () => {
    const resize = { edge: GOLDEN.shortest_edge };
    const found = GOLDEN.cases.map(({ file, cropped }) =>
      problemOf(file, { resize, crop: SIDES, filter }, cropped[filter] ?? ''),
    );
    expect(await problems(found)).toEqual([]);
  });
});

it.each<[string, Pick<Recipe, 'resize' | 'crop' | 'filter'>]>([
  ['image-vit', { resize: { width: 32, height: 32 }, filter: 'bilinear' }],
  ['image-resnet', { resize: { edge: 36 }, crop: { width: 32, height: 32 }, filter: 'bilinear' }],
  ['image-crop', { resize: { edge: 36 }, crop: { width: 32, height: 32 }, filter: 'bicubic' }],
])('%s sees the bytes that its processor makes', async (model, recipe) => {
  const cases = imageGoldenOf(model);
  expect(cases).toHaveLength(21);
  expect(await problems(cases.map(({ file, pixels }) => problemOf(file, recipe, pixels)))).toEqual([]);
});
