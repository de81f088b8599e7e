import { z } from 'zod';
import { CarpoolError } from '../errors.js';
import { imageSettings } from './settings.js';

const named = z.looseObject({
  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
});

/** Classes to which one number as `size` is the shortest edge; to all others it is both sides. */
const BY_EDGE: readonly string[] = [
  'Bit',
  'ChineseCLIP',
  'CLIP',
  'ConvNext',
  'Levit',
  'MobileNetV1',
  'MobileNetV2',
  'MobileViT',
  'PoolFormer',
];

/** Steps that we do not have, where they are switched on; and classes that do things their own way. */
const STRANGE_KEYS = [
  'do_align_long_axis',
  'do_color_quantize',
  'do_pad',
  'do_thumbnail',
  'include_top',
  'rescale_offset',
] as const;
const STRANGE_TYPES: readonly string[] = ['ImageGPT', 'Perceiver'];

const LEVIT_MARGIN = 256 / 224;

/**
 * What a `preprocessor_config.json` of an image model says, as the `image` of a card. Keys that change no pixels are
 * left out.
 * @throws CarpoolError MODEL_LOAD_FAILED for steps that would be left out, and for values that make no sense
 */
export const preprocessorSettings = (file: unknown): object => {
  const given = named.parse(withoutNulls(file));
  const type = (given.image_processor_type ?? given.feature_extractor_type ?? '').replace(
    /(?:ImageProcessor(?:Fast)?|FeatureExtractor)$/,
    '',
  );
  const strange = STRANGE_KEYS.find((key) => given[key] === true);
  if (strange !== undefined || STRANGE_TYPES.includes(type))
    throw refuse(
      `expected no ${strange ?? type}: that step is not supported; describe "image" in model.yaml`,
    );
  const known = Object.keys(imageSettings.shape).filter((key) => key !== 'layout' && key in given);
  const settings: Record<string, unknown> = Object.fromEntries(known.map((key) => [key, given[key]]));
  if (typeof settings['size'] === 'number' && BY_EDGE.includes(type))
    settings['size'] = { shortest_edge: settings['size'] };
  const checked = imageSettings.safeParse(settings);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw refuse(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}`);
  }
  const { size } = checked.data;
  if (type !== 'Levit' || typeof size !== 'object' || !('shortest_edge' in size)) return settings;
  return { ...settings, size: { shortest_edge: Math.trunc(LEVIT_MARGIN * size.shortest_edge) } };
};

const withoutNulls = (file: unknown): unknown =>
  typeof file === 'object' && file !== null
    ? Object.fromEntries(Object.entries(file).filter(([, value]) => value !== null))
    : {};

const refuse = (problem: string): CarpoolError =>
  new CarpoolError('MODEL_LOAD_FAILED', `preprocessor_config.json: ${problem}`);
