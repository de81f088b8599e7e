import { halfPacker } from '../codec/half.js';
import { allocate, type NumericData } from '../tensor.js';
import { shownPart, type Geometry } from './geometry.js';
import type { Recipe } from './recipe.js';
import { CHANNELS, resample } from './resample.js';
import { tapsOf } from './taps.js';

/** Rows `[from, to)` of the model's input, and the source rows that they are made of. Plain data. */
export interface StripInput {
  readonly recipe: Recipe;
  readonly geometry: Geometry;
  readonly from: number;
  readonly to: number;
  /** Whole rows. */
  readonly pixels: Uint8Array;
  /** Bytes of a pixel: 3, or 1 of a grey image. */
  readonly channels: 1 | 3;
  /** Position of the first of them in the image. */
  readonly firstRow: number;
}

/** The values of these rows in the recipe's dtype: `[3, rows, width]` or `[rows, width, 3]`. */
export const stripValues = ({
  recipe,
  geometry,
  from,
  to,
  pixels,
  channels,
  firstRow,
}: StripInput): Exclude<NumericData, BigInt64Array | BigUint64Array> => {
  const { x, y } = geometry;
  const columns = shownPart(x, 0, x.size);
  const rows = shownPart(y, from, to);
  const bytes =
    rows.count === 0
      ? new Uint8ClampedArray()
      : resample(
          { pixels, channels, width: x.from, firstRow },
          tapsOf(recipe.filter, x, columns.first, columns.count),
          tapsOf(recipe.filter, y, rows.first, rows.count),
        );
  const height = to - from;
  const area = x.size * height;
  // `recipe.dtype` is none of the 64-bit ones.
  const values = allocate(recipe.dtype, area * CHANNELS) as Float32Array | Uint16Array | Uint8Array;
  const [pixelStep, channelStep] = recipe.layout === 'nchw' ? [1, area] : [CHANNELS, 1];
  const left = columns.first - x.offset;
  const top = rows.first - y.offset - from;
  for (let channel = 0; channel < CHANNELS; channel++) {
    const source = recipe.flip ? CHANNELS - 1 - channel : channel;
    const table = tableOf(recipe, channel);
    const at = channel * channelStep;
    if (columns.count * rows.count < area)
      for (let i = 0; i < area; i++) values[at + i * pixelStep] = table[0] ?? 0;
    for (let row = 0, read = source; row < rows.count; row++) {
      let write = at + ((top + row) * x.size + left) * pixelStep;
      for (let column = 0; column < columns.count; column++, read += CHANNELS, write += pixelStep)
        values[write] = table[bytes[read] ?? 0] ?? 0;
    }
  }
  return values;
};

/**
 * What each of the 256 bytes becomes, rounded where transformers rounds: the product to float32, then the difference,
 * then the quotient.
 */
const tableOf = ({ dtype, factor, mean, std }: Recipe, channel: number): Float32Array | Uint16Array => {
  if (dtype === 'uint8') return Uint16Array.from({ length: 256 }, (_, byte) => byte);
  const [centre, spread] = [Math.fround(mean[channel] ?? 0), Math.fround(std[channel] ?? 1)];
  const floats = Float32Array.from(
    { length: 256 },
    (_, byte) => Math.fround(Math.fround(byte * factor) - centre) / spread,
  );
  return dtype === 'float16' ? Uint16Array.from(floats, halfPacker()) : floats;
};
