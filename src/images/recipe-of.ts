import type { Signature } from '../models/signature.js';
import type { TensorSpec } from '../tensor.js';
import { FILTERS, type Filter } from './filters.js';
import { canvasOf, type ImageDType, type Recipe, type Size } from './recipe.js';
import type { ImageSettings } from './settings.js';

const DTYPES: readonly string[] = ['float32', 'float16', 'uint8'] satisfies ImageDType[];
const isImageDType = (dtype: string): dtype is ImageDType => DTYPES.includes(dtype);

/** From here on ConvNext squeezes the whole image. */
const SQUEEZED_FROM = 384;

/** What settings and signature make together, or why they don't fit, in the words of a card. */
export const recipeOf = (
  settings: ImageSettings | undefined,
  { inputs }: Signature,
): Recipe | { readonly problem: string } => {
  if (settings === undefined)
    return problem('expected "image" with task image-classification, or a preprocessor_config.json');
  const [input, another] = inputs;
  if (input === undefined || another !== undefined || input.shape.length !== 4 || !isImageDType(input.dtype))
    return problem(
      `expected a model with one input, float32, float16 or uint8 [N,3,H,W] or [N,H,W,3], got ${shown(inputs)}`,
    );
  const layout = settings.layout ?? (input.shape[1] !== 3 && input.shape[3] === 3 ? 'nhwc' : 'nchw');
  const [channels, height, width] = axes(input, layout);
  if (typeof channels === 'number' && channels !== 3)
    return problem(`expected an input with 3 channels, got ${shown(inputs)}`);
  const declared = typeof height === 'number' && typeof width === 'number' ? { height, width } : undefined;
  const framed = framing(settings, declared);
  if (framed === undefined)
    return problem('size: expected the sides of the input, which the model leaves open, got nothing');
  const normalizes = settings.do_normalize ?? settings.image_mean !== undefined;
  if (normalizes && (settings.image_mean === undefined || settings.image_std === undefined))
    return problem('do_normalize: expected image_mean and image_std beside it');
  const recipe: Recipe = {
    ...framed,
    filter: filterOf(settings.resample),
    factor: settings.do_rescale ? settings.rescale_factor : 1,
    mean: normalizes ? (settings.image_mean ?? []) : [0, 0, 0],
    std: normalizes ? (settings.image_std ?? []) : [1, 1, 1],
    dtype: input.dtype,
    layout,
    flip: settings.do_flip_channel_order,
  };
  return misfit(recipe, height, width) ?? recipe;
};

/** Both edges, as numbers or by the crop. */
const framing = (
  settings: ImageSettings,
  declared: Size | undefined,
): Pick<Recipe, 'resize' | 'crop'> | undefined => {
  const { size: given, crop_size: cropSize, crop_pct: part } = settings;
  const size = typeof given === 'number' ? { width: given, height: given } : (given ?? declared);
  const crops = settings.do_center_crop ?? cropSize !== undefined;
  const crop = crops ? (cropSize === undefined ? declared : sidesOf(cropSize)) : undefined;
  const cropped = crop === undefined ? {} : { crop };
  if (!settings.do_resize) return cropped;
  if (size === undefined) return undefined;
  if (part !== undefined) {
    const edge = 'width' in size ? Math.min(size.width, size.height) : size.shortest_edge;
    if (crop === undefined && edge >= SQUEEZED_FROM) return { resize: sidesOf(edge) };
    return { resize: { edge: Math.trunc(edge / part) }, crop: crop ?? sidesOf(edge) };
  }
  return { resize: 'width' in size ? size : { edge: size.shortest_edge }, ...cropped };
};

const sidesOf = (size: number | Size): Size =>
  typeof size === 'number' ? { width: size, height: size } : size;

const filterOf = (resample: ImageSettings['resample']): Filter =>
  typeof resample === 'string' ? resample : (FILTERS[resample] ?? 'bilinear');

type Dim = number | string | undefined;

const axes = ({ shape }: TensorSpec, layout: Recipe['layout']): [channels: Dim, height: Dim, width: Dim] =>
  layout === 'nchw' ? [shape[1], shape[2], shape[3]] : [shape[3], shape[1], shape[2]];

const misfit = (recipe: Recipe, height: Dim, width: Dim): { readonly problem: string } | undefined => {
  const canvas = canvasOf(recipe);
  const wanted = `${String(width)}x${String(height)}`;
  if (canvas === undefined)
    return typeof height === 'number' || typeof width === 'number'
      ? problem(`expected a crop_size: the model takes images of ${wanted} only`)
      : undefined;
  const fits =
    (typeof width !== 'number' || width === canvas.width) &&
    (typeof height !== 'number' || height === canvas.height);
  return fits
    ? undefined
    : problem(`makes images of ${canvas.width}x${canvas.height}, the model takes ${wanted}`);
};

const problem = (text: string): { readonly problem: string } => ({ problem: `image: ${text}` });

const shown = (inputs: readonly TensorSpec[]): string =>
  inputs.map(({ name, dtype, shape }) => `${name} ${dtype}[${shape.join(',')}]`).join(', ') || 'no inputs';
