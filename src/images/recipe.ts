import type { Filter } from './filters.js';

/** Width and height, in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export type ImageDType = 'float32' | 'float16' | 'uint8';

/** How an image becomes a model's input. Plain data. */
export interface Recipe {
  /** Absent: the image as it is. `edge`: the shorter side becomes so long, the other one in proportion. */
  readonly resize?: Size | { readonly edge: number };
  readonly filter: Filter;
  /** The middle of the resized image; black where that is smaller. */
  readonly crop?: Size;
  /** A byte's value is `(byte × factor − mean) / std` in its channel. Not for `uint8`, which takes bytes. */
  readonly factor: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly dtype: ImageDType;
  /** `nchw`: planes of red, green, blue; `nhwc`: pixel by pixel. */
  readonly layout: 'nchw' | 'nhwc';
  /** Blue, green, red. */
  readonly flip: boolean;
}

/** What all images become; undefined where it depends on their shape. */
export const canvasOf = ({ resize, crop }: Recipe): Size | undefined => {
  if (crop !== undefined) return crop;
  return resize !== undefined && 'width' in resize ? resize : undefined;
};
