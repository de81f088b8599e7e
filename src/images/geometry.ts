import { CarpoolError } from '../errors.js';
import type { Recipe, Size } from './recipe.js';
import { extentOf, type Axis } from './taps.js';

/**
 * One axis of an image on its way to the model's:
 *
 *   source    ├───────── from ─────────┤
 *   resized      ├────── to ──────┤
 *   canvas           ├─ size ─┤             begins at `offset` of the resized one; where that is negative, black
 */
export interface AxisPlan extends Axis {
  readonly size: number;
  readonly offset: number;
}

export interface Geometry {
  readonly x: AxisPlan;
  readonly y: AxisPlan;
}

/** The part of `[from, to)` of the canvas that is picture: where it begins in the resized image, how long it is. */
export const shownPart = (
  { to: resized, offset }: AxisPlan,
  from: number,
  to: number,
): { readonly first: number; readonly count: number } => {
  const first = Math.max(0, from + offset);
  return { first, count: Math.max(0, Math.min(resized, to + offset) - first) };
};

/** Sizes as transformers' `get_resize_output_image_size` and `center_crop` find them. */
export const geometryOf = ({ resize, crop }: Recipe, { width, height }: Size): Geometry => {
  const resized = resizedSize(resize, width, height);
  const axis = (from: number, to: number, size = to): AxisPlan => ({
    ...{ from, to, size },
    offset: Math.floor((to - size) / 2),
  });
  return { x: axis(width, resized.width, crop?.width), y: axis(height, resized.height, crop?.height) };
};

const resizedSize = (resize: Recipe['resize'], width: number, height: number): Size => {
  if (resize === undefined) return { width, height };
  if ('width' in resize) return resize;
  const long = (side: number, short: number): number => Math.trunc((resize.edge * side) / short);
  return width <= height
    ? { width: resize.edge, height: long(height, width) }
    : { width: long(width, height), height: resize.edge };
};

/**
 * Pixels that are read and pixels that are made between: the work of resizing. A crop narrows both.
 * @throws CarpoolError PAYLOAD_TOO_LARGE where an odd shape makes millions of pixels out of few
 */
export const workOf = ({ x, y }: Geometry, recipe: Recipe, maxPixels: number, where: string): number => {
  const columns = shownPart(x, 0, x.size).count;
  const { first, count } = shownPart(y, 0, y.size);
  const [from, to] = extentOf(recipe.filter, y, first, count);
  const between = columns * (to - from);
  if (Math.max(between, x.size * y.size) > maxPixels)
    throw new CarpoolError(
      'PAYLOAD_TOO_LARGE',
      `${where}: ${x.from}x${y.from} pixels can't be resized to ${x.to}x${y.to} with at most ${maxPixels} at a time`,
    );
  return between + x.from * (to - from);
};
