import { z } from 'zod';
import { FILTERS } from './filters.js';

const pixels = z.int().min(1).max(16_384);
const sides = z.strictObject({ height: pixels, width: pixels });
const ofChannels = z.array(z.number()).length(3);

/**
 * How images become a model's input: `image` of a card. The names are those of a preprocessor_config.json, which a model
 * that has one needs no card for.
 */
export const imageSettings = z.strictObject({
  do_resize: z.boolean().default(true),
  /** One number: both sides. Default: the sides that the model's input declares. */
  size: z.union([pixels, sides, z.strictObject({ shortest_edge: pixels })]).optional(),
  /** A name, or its number in PIL. */
  resample: z
    .union([
      z.enum(FILTERS),
      z
        .int()
        .min(0)
        .max(FILTERS.length - 1),
    ])
    .default('bilinear'),
  /** Default: true where there is a `crop_size`. */
  do_center_crop: z.boolean().optional(),
  crop_size: z.union([pixels, sides]).optional(),
  /** The shortest edge becomes `size / crop_pct`; the middle of `size` is left. As ConvNext has it. */
  crop_pct: z.number().positive().max(1).optional(),
  do_rescale: z.boolean().default(true),
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  /** Default: true where there is an `image_mean`. */
  do_normalize: z.boolean().optional(),
  image_mean: ofChannels.optional(),
  image_std: ofChannels.refine((values) => !values.includes(0)).optional(),
  /** Blue, green, red instead. */
  do_flip_channel_order: z.boolean().default(false),
  /** Order of the input's axes. Default: found from its shape. */
  layout: z.enum(['nchw', 'nhwc']).optional(),
});

export type ImageSettings = z.infer<typeof imageSettings>;
