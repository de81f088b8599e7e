import { describe, expect, it } from '@jest/globals';
import { preprocessorSettings } from '../../src/images/preprocessor.js';
import { canvasOf } from '../../src/images/recipe.js';
import { recipeOf } from '../../src/images/recipe-of.js';
import { imageSettings } from '../../src/images/settings.js';
import type { Signature } from '../../src/models/signature.js';
import type { TensorSpec } from '../../src/tensor.js';

const taking = (shape: TensorSpec['shape'], dtype: TensorSpec['dtype'] = 'float32'): Signature => ({
  inputs: [{ name: 'pixels', dtype, shape }],
  outputs: [],
});
const OPEN = taking(['n', 'c', 'h', 'w']);
const HUNDRED = taking(['n', 3, 100, 100]);
const HALF = [0.5, 0.5, 0.5];

/** From the files of an export; wrong ones are told. */
const made = (file: object, signature: Signature): unknown =>
  recipeOf(imageSettings.parse(preprocessorSettings(file)), signature);

describe('a preprocessor_config.json', () => {
  it.each<[string, object, object]>([
    [
      'of an old ViT: one number is both sides',
      {
        feature_extractor_type: 'ViTFeatureExtractor',
        size: 224,
        resample: 2,
        image_mean: HALF,
        image_std: HALF,
      },
      { resize: { width: 224, height: 224 }, filter: 'bilinear', factor: 1 / 255, mean: HALF },
    ],
    [
      'of CLIP: one number is the shorter edge',
      {
        image_processor_type: 'CLIPImageProcessor',
        size: 224,
        crop_size: 200,
        resample: 3,
        do_normalize: false,
      },
      { resize: { edge: 224 }, crop: { width: 200, height: 200 }, filter: 'bicubic', mean: [0, 0, 0] },
    ],
    [
      'of a small ConvNext',
      { image_processor_type: 'ConvNextImageProcessor', size: { shortest_edge: 224 }, crop_pct: 0.875 },
      { resize: { edge: 256 }, crop: { width: 224, height: 224 } },
    ],
    [
      'of a large ConvNext: squeezed',
      { image_processor_type: 'ConvNextImageProcessor', size: { shortest_edge: 384 }, crop_pct: 0.875 },
      { resize: { width: 384, height: 384 } },
    ],
    [
      'of PoolFormer: a crop of its own',
      {
        image_processor_type: 'PoolFormerImageProcessor',
        size: 224,
        crop_pct: 0.9,
        crop_size: { height: 220, width: 210 },
      },
      { resize: { edge: 248 }, crop: { height: 220, width: 210 } },
    ],
    [
      'of LeViT: a margin',
      { image_processor_type: 'LevitImageProcessorFast', size: { shortest_edge: 224 }, crop_size: 224 },
      { resize: { edge: 256 } },
    ],
    [
      'with steps switched off',
      { size: 224, crop_size: 50, do_resize: false, do_rescale: false, image_mean: null },
      { crop: { width: 50, height: 50 }, factor: 1, std: [1, 1, 1] },
    ],
    ['of MobileViT: blue first', { size: 100, do_flip_channel_order: true }, { flip: true }],
  ])('%s', (_what, file, expected) => {
    expect(made(file, OPEN)).toMatchObject(expected);
  });

  it.each([
    [{ size: 224, do_pad: true }, 'expected no do_pad: that step is not supported'],
    [{ image_processor_type: 'PerceiverImageProcessor' }, 'expected no Perceiver'],
    [{ size: { longest_edge: 224 } }, 'preprocessor_config.json: size: '],
    [{ size: 224, image_std: [1, 0, 1] }, 'preprocessor_config.json: image_std: '],
  ])('%j is refused', (file, message) => {
    expect(() => preprocessorSettings(file)).toThrow(message);
  });
});

describe('with the model', () => {
  it.each<[TensorSpec['shape'], string]>([
    [['n', 3, 100, 100], 'nchw'],
    [['n', 100, 100, 3], 'nhwc'],
    [['n', 'a', 'b', 'c'], 'nchw'],
    [['n', 'h', 'w', 3], 'nhwc'],
  ])('%j is %s', (shape, layout) => {
    expect(made({ size: 100 }, taking(shape))).toMatchObject({ layout });
  });

  it('the sides are those of its input where the settings name none', () => {
    expect(made({}, HUNDRED)).toMatchObject({ resize: { width: 100, height: 100 } });
  });

  it('images keep their own shape where nothing fixes it', () => {
    const recipe = recipeOf(imageSettings.parse({ size: { shortest_edge: 64 } }), OPEN);
    expect('problem' in recipe ? recipe : canvasOf(recipe)).toBeUndefined();
  });

  it.each<[string, object, Signature, string]>([
    ['other sides', { size: 99 }, HUNDRED, 'makes images of 99x99, the model takes 100x100'],
    [
      'sides that vary',
      { size: { shortest_edge: 9 } },
      HUNDRED,
      'expected a crop_size: the model takes images of 100x100',
    ],
    ['no sides', {}, OPEN, 'size: expected the sides of the input'],
    ['no deviation', { size: 9, image_mean: HALF }, OPEN, 'expected image_mean and image_std'],
    [
      'one channel',
      { size: 9 },
      taking(['n', 1, 9, 9]),
      'expected an input with 3 channels, got pixels float32[n,1,9,9]',
    ],
    ['rows', {}, taking(['n', 3]), 'expected a model with one input, float32, float16 or uint8 [N,3,H,W]'],
    ['integers', {}, taking(['n', 3, 9, 9], 'int64'), 'got pixels int64[n,3,9,9]'],
    [
      'two inputs',
      {},
      { ...HUNDRED, inputs: [...HUNDRED.inputs, ...HUNDRED.inputs] },
      'expected a model with one input',
    ],
  ])('%s do not fit', (_what, settings, signature, problem) => {
    expect(recipeOf(imageSettings.parse(settings), signature)).toEqual({
      problem: expect.stringContaining(problem),
    });
  });

  it('nothing said is not guessed', () => {
    expect(recipeOf(undefined, HUNDRED)).toEqual({ problem: expect.stringContaining('expected "image"') });
  });
});
