import { describe, expect, it } from '@jest/globals';
import { FILTERS } from '../../src/images/filters.js';
import { geometryOf } from '../../src/images/geometry.js';
import type { Recipe } from '../../src/images/recipe.js';
import { resample } from '../../src/images/resample.js';
import { stripValues } from '../../src/images/strip-values.js';
import { tapsOf } from '../../src/images/taps.js';
import { unpackHalves } from '../../src/codec/half.js';

/** 7 × 5 greys: column × 37 + row × 91. */
const GREYS = Uint8Array.from({ length: 35 }, (_, i) => ((i % 7) * 37 + Math.floor(i / 7) * 91) % 256);

/** `Image.fromarray(greys).resize((width, 2), resample=filter)` of Pillow 11.3. */
const PIL: Readonly<Record<string, readonly [three: number[][], nine: number[][]]>> = {
  nearest: [
    [
      [128, 202, 20],
      [54, 128, 202],
    ],
    [
      [91, 128, 128, 165, 202, 239, 20, 20, 57],
      [17, 54, 54, 91, 128, 165, 202, 202, 239],
    ],
  ],
  lanczos: [
    [
      [91, 128, 139],
      [115, 114, 123],
    ],
    [
      [75, 106, 105, 91, 124, 176, 137, 112, 149],
      [92, 123, 120, 114, 141, 98, 93, 132, 153],
    ],
  ],
  bilinear: [
    [
      [99, 129, 129],
      [106, 118, 128],
    ],
    [
      [79, 104, 107, 103, 132, 161, 132, 113, 138],
      [87, 112, 114, 111, 140, 105, 110, 133, 158],
    ],
  ],
  bicubic: [
    [
      [95, 130, 133],
      [110, 116, 126],
    ],
    [
      [77, 105, 105, 97, 128, 171, 134, 111, 143],
      [89, 117, 117, 111, 140, 96, 101, 133, 157],
    ],
  ],
  box: [
    [
      [110, 117, 124],
      [82, 131, 139],
    ],
    [
      [91, 128, 128, 80, 117, 154, 105, 105, 142],
      [63, 100, 100, 137, 174, 83, 120, 120, 157],
    ],
  ],
  hamming: [
    [
      [97, 141, 118],
      [99, 123, 138],
    ],
    [
      [75, 106, 109, 107, 142, 177, 125, 100, 131],
      [77, 108, 112, 109, 144, 96, 115, 134, 165],
    ],
  ],
};

describe.each(FILTERS)('%s', (filter) => {
  it.each([
    ['fewer', 3, 0],
    ['more', 9, 1],
  ])('makes the bytes of PIL of %s pixels', (_what, width, which) => {
    const strip = { pixels: GREYS, channels: 1 as const, width: 7, firstRow: 0 };
    const columns = tapsOf(filter, { from: 7, to: width }, 0, width);
    const bytes = resample(strip, columns, tapsOf(filter, { from: 5, to: 2 }, 0, 2));
    const expected = PIL[filter]?.[which]?.flat() ?? [];
    expect([...bytes]).toEqual(expected.flatMap((grey) => [grey, grey, grey]));
  });
});

const RECIPE: Recipe = {
  filter: 'bicubic',
  factor: 1 / 255,
  mean: [0.5, 0.4, 0.3],
  std: [0.5, 0.25, 0.2],
  dtype: 'float32',
  layout: 'nchw',
  flip: false,
};

/** 4 × 3 pixels, red 0…11, green 100…111, blue 200…211. */
const COLOURS = Uint8Array.from({ length: 36 }, (_, i) => Math.floor(i / 3) + (i % 3) * 100);

const values = (recipe: Recipe, from = 0, to?: number): number[] => {
  const geometry = geometryOf(recipe, { width: 4, height: 3 });
  const strip = { recipe, geometry, from, to: to ?? geometry.y.size };
  return [...stripValues({ ...strip, pixels: COLOURS, channels: 3, firstRow: 0 })];
};

describe('values', () => {
  it('are rounded to single precision where transformers rounds', () => {
    const expected = [0, 1, 2].flatMap((channel) =>
      Array.from({ length: 12 }, (_, i) => {
        const scaled = Math.fround((i + channel * 100) * (1 / 255));
        const centred = Math.fround(scaled - Math.fround(RECIPE.mean[channel] ?? NaN));
        return Math.fround(centred / Math.fround(RECIPE.std[channel] ?? NaN));
      }),
    );
    expect(values(RECIPE)).toEqual(expected);
  });

  it('stand pixel by pixel in nhwc', () => {
    const planes = values(RECIPE);
    const pixels = values({ ...RECIPE, layout: 'nhwc' });
    expect(pixels).toEqual(Array.from({ length: 36 }, (_, i) => planes[(i % 3) * 12 + Math.floor(i / 3)]));
  });

  it('are bytes for models that take bytes', () => {
    expect(values({ ...RECIPE, dtype: 'uint8', layout: 'nhwc' })).toEqual([...COLOURS]);
  });

  it('are halves for models that take halves', () => {
    const halves = unpackHalves(Uint16Array.from(values({ ...RECIPE, dtype: 'float16' })));
    for (const [i, value] of values(RECIPE).entries()) expect(halves[i]).toBeCloseTo(value, 2);
  });

  it('begin with blue where channels are flipped', () => {
    const bytes = values({ ...RECIPE, dtype: 'uint8', flip: true });
    expect([bytes[0], bytes[12], bytes[24]]).toEqual([200, 100, 0]);
  });

  // transformers.image_transforms.center_crop of np.arange(12).reshape(3, 4)
  it.each([
    [{ width: 2, height: 5 }, [0, 0, 1, 2, 5, 6, 9, 10, 0, 0]],
    [
      { width: 7, height: 6 },
      [
        ...Array<number>(16).fill(0),
        0,
        1,
        2,
        3,
        0,
        0,
        0,
        4,
        5,
        6,
        7,
        0,
        0,
        0,
        8,
        9,
        10,
        11,
        ...Array<number>(8).fill(0),
      ],
    ],
  ])('are black around an image that is smaller than the crop %j', (crop, red) => {
    const bytes = values({ ...RECIPE, dtype: 'uint8', crop });
    expect(bytes.slice(0, red.length)).toEqual(red);
  });

  it.each<Recipe['layout']>(['nchw', 'nhwc'])('in strips are those of the whole (%s)', (layout) => {
    const recipe: Recipe = {
      ...RECIPE,
      layout,
      resize: { width: 5, height: 6 },
      crop: { width: 5, height: 8 },
    };
    const whole = values(recipe);
    for (let row = 0; row < 8; row++) {
      const strip = values(recipe, row, row + 1);
      const at = (i: number): number =>
        layout === 'nchw' ? Math.floor(i / 5) * 40 + row * 5 + (i % 5) : row * 15 + i;
      expect(strip).toEqual(strip.map((_, i) => whole[at(i)]));
    }
  });
});
