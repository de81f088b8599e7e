/** The filters of PIL, each at its number there: what `resample` in a preprocessor_config.json means. */
export const FILTERS = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const;
export type Filter = (typeof FILTERS)[number];

/** A filter that weighs neighbours. */
export interface Kernel {
  /** Reach to each side, in pixels of the smaller of the two images. */
  readonly support: number;
  /** Weight at a distance, before all weights of a pixel are scaled to sum 1. */
  readonly at: (distance: number) => number;
}

/** As in Pillow's src/libImaging/Resample.c. */
export const KERNELS: Readonly<Record<Exclude<Filter, 'nearest'>, Kernel>> = {
  box: { support: 0.5, at: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: { support: 1, at: (x) => (Math.abs(x) < 1 ? sinc(x) * hammingWindow(x) : 0) },
  bicubic: { support: 2, at: (x) => bicubic(Math.abs(x)) },
  lanczos: { support: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

/** Its constants are single precision there. */
const hammingWindow = (x: number): number =>
  Math.fround(0.54) + Math.fround(0.46) * Math.cos(Math.abs(x) * Math.PI);

const SHARPNESS = -0.5;

const bicubic = (x: number): number => {
  if (x < 1) return ((SHARPNESS + 2) * x - (SHARPNESS + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * SHARPNESS : 0;
};
