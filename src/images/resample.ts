import { WEIGHT_BITS, type Taps } from './taps.js';

/** Bytes of a resized pixel: red, green, blue. */
export const CHANNELS = 3;

/** Some rows of an image. */
export interface Strip {
  readonly pixels: Uint8Array;
  /** Bytes of a pixel: 3, or 1 of a grey image. */
  readonly channels: 1 | 3;
  /** Of each row, in pixels. */
  readonly width: number;
  /** Position of the first of them in the image. */
  readonly firstRow: number;
}

const HALF = 1 << (WEIGHT_BITS - 1);

/**
 * Resizes as PIL does, byte for byte: each row is narrowed and rounded to bytes, then rows are added up. One source row
 * at a time, so that an image one pixel wide and a million high takes no memory.
 *
 * @param rows its starts count from the top of the whole image
 * @returns RGB, `columns` × `rows` pixels
 */
export const resample = (strip: Strip, columns: Taps, rows: Taps): Uint8ClampedArray => {
  const width = columns.starts.length;
  const height = rows.starts.length;
  const line = new Uint8ClampedArray(width * CHANNELS);
  const sums = new Int32Array(height * line.length).fill(HALF);
  const last = height - 1;
  const end = (rows.starts[last] ?? 0) + (rows.counts[last] ?? 0);
  let open = 0;
  for (let source = rows.starts[0] ?? 0; source < end; source++) {
    narrow(strip, source - strip.firstRow, columns, line);
    for (let row = open; row < height; row++) {
      const tap = source - (rows.starts[row] ?? 0);
      if (tap < 0) break;
      if (tap >= (rows.counts[row] ?? 0)) {
        if (row === open) open++;
        continue;
      }
      addLine(sums, row * line.length, line, rows.weights[row * rows.most + tap] ?? 0);
    }
  }
  const resized = new Uint8ClampedArray(sums.length);
  for (let i = 0; i < sums.length; i++) resized[i] = (sums[i] ?? 0) >> WEIGHT_BITS;
  return resized;
};

const narrow = (
  { pixels, channels, width }: Strip,
  row: number,
  { starts, counts, weights, most }: Taps,
  line: Uint8ClampedArray,
): void => {
  const rowAt = row * width;
  const [toGreen, toBlue] = channels === 1 ? [0, 0] : [1, 2];
  for (let x = 0, out = 0; x < starts.length; x++, out += CHANNELS) {
    let at = (rowAt + (starts[x] ?? 0)) * channels;
    const from = x * most;
    const to = from + (counts[x] ?? 0);
    let red = HALF;
    let green = HALF;
    let blue = HALF;
    // The sums stay below 2^31: weights sum to 2^22, and no filter's overshoot doubles that.
    for (let k = from; k < to; k++, at += channels) {
      const weight = weights[k] ?? 0;
      red = (red + weight * (pixels[at] ?? 0)) | 0;
      green = (green + weight * (pixels[at + toGreen] ?? 0)) | 0;
      blue = (blue + weight * (pixels[at + toBlue] ?? 0)) | 0;
    }
    line[out] = red >> WEIGHT_BITS;
    line[out + 1] = green >> WEIGHT_BITS;
    line[out + 2] = blue >> WEIGHT_BITS;
  }
};

const addLine = (sums: Int32Array, at: number, line: Uint8ClampedArray, weight: number): void => {
  for (let i = 0; i < line.length; i++) sums[at + i] = (sums[at + i] ?? 0) + weight * (line[i] ?? 0);
};
