import { KERNELS, type Filter } from './filters.js';

/** Weights are integers in this many bits, as in PIL: that makes the sums exact, and so the bytes equal. */
export const WEIGHT_BITS = 22;

/**
 * What pixels `first` … `first + count` of a resized line are made of: weighted runs of neighbours of the source line.
 *
 *   source   ·  ·  ·  ·  ·  ·  ·  ·        starts[1] = 2, counts[1] = 4
 *                  └──┬─────┘
 *   resized    ·      ·      ·             weights[1 × most …] sum to 2^22
 */
export interface Taps {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** `most` for each pixel. */
  readonly weights: Int32Array;
  readonly most: number;
}

/** An axis of an image: how long it is, and how long it becomes. */
export interface Axis {
  readonly from: number;
  readonly to: number;
}

/** Pillow's `precompute_coeffs` and `normalize_coeffs_8bpc`, for a part of the line. */
export const tapsOf = (filter: Filter, axis: Axis, first: number, count: number): Taps => {
  if (filter === 'nearest') return nearestTaps(axis, first, count);
  const { support, at } = KERNELS[filter];
  const scale = axis.from / axis.to;
  const filterScale = Math.max(1, scale);
  const most = 2 * Math.ceil(support * filterScale) + 1;
  const taps = emptyTaps(count, most);
  const line = new Float64Array(most);
  for (let i = 0; i < count; i++) {
    const centre = (first + i + 0.5) * scale;
    const [start, end] = neighbours(axis, support, first + i);
    let sum = 0;
    for (let k = start; k < end; k++) {
      const weight = at((k - centre + 0.5) * (1 / filterScale));
      line[k - start] = weight;
      sum += weight;
    }
    taps.starts[i] = start;
    taps.counts[i] = end - start;
    for (let k = 0; k < end - start; k++) taps.weights[i * most + k] = fixedPoint((line[k] ?? 0) / sum);
  }
  return taps;
};

/** The source pixels that a resized one is made of: `[start, end)`. */
const neighbours = ({ from, to }: Axis, support: number, index: number): [number, number] => {
  const scale = from / to;
  const centre = (index + 0.5) * scale;
  const reach = support * Math.max(1, scale);
  return [Math.max(0, Math.trunc(centre - reach + 0.5)), Math.min(from, Math.trunc(centre + reach + 0.5))];
};

/** The source pixels that a part of the line needs: `[start, end)`. */
export const extentOf = (filter: Filter, axis: Axis, first: number, count: number): [number, number] => {
  if (filter === 'nearest') {
    const { starts } = nearestTaps(axis, first, count);
    return [starts[0] ?? 0, (starts[count - 1] ?? 0) + 1];
  }
  const { support } = KERNELS[filter];
  return [neighbours(axis, support, first)[0], neighbours(axis, support, first + count - 1)[1]];
};

const fixedPoint = (weight: number): number =>
  Math.trunc(weight * (1 << WEIGHT_BITS) + (weight < 0 ? -0.5 : 0.5));

/** Positions are summed up, not multiplied, as PIL does it: the roundings decide which neighbour is nearest. */
const nearestTaps = ({ from, to }: Axis, first: number, count: number): Taps => {
  const taps = emptyTaps(count, 1);
  taps.counts.fill(1);
  taps.weights.fill(1 << WEIGHT_BITS);
  const step = from / to;
  for (let i = 0, at = step * 0.5; i < first + count; i++, at += step)
    if (i >= first) taps.starts[i - first] = Math.min(from - 1, Math.trunc(at));
  return taps;
};

const emptyTaps = (count: number, most: number): Taps => ({
  starts: new Int32Array(count),
  counts: new Int32Array(count),
  weights: new Int32Array(count * most),
  most,
});
