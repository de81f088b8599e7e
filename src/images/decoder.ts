import type sharp from 'sharp';
import { CarpoolError, messageOf } from '../errors.js';
import { formatOf } from './format.js';
import type { Size } from './recipe.js';

export type Sharp = typeof sharp;

export interface Pixels extends Size {
  readonly data: Uint8Array;
  /** Bytes of a pixel: 3 (RGB), or 1 of a grey image. */
  readonly channels: 1 | 3;
}

/** Longest side: what a JPEG can have. Resizing takes memory for each pixel of a row. */
const MAX_SIDE = 65_535;

export interface DecodeOptions {
  readonly maxPixels: number;
  /** For messages. */
  readonly where: string;
}

/**
 * A JPEG, PNG or WebP image as PIL opens it (`ImageOps.exif_transpose`, `convert("RGB")`): upright, without alpha,
 * palettes as RGB, colour profiles ignored, of an animation the first frame. In libuv's threads.
 *
 * @throws CarpoolError PAYLOAD_TOO_LARGE before anything is decoded, by the sizes in the file's head; INVALID_REQUEST
 * where it is broken or cut short; UNSUPPORTED_MEDIA_TYPE
 */
export const decode = async (
  library: Sharp,
  bytes: Uint8Array,
  { maxPixels, where }: DecodeOptions,
): Promise<Pixels> => {
  const format = formatOf(bytes, where);
  const input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const attempt = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const reason = messageOf(error).trim().split('\n', 1)[0] ?? '';
      throw new CarpoolError('INVALID_REQUEST', `${where}: this ${format} image can't be read: ${reason}`, {
        cause: error,
      });
    }
  };
  const head = await attempt(() => library(input, { limitInputPixels: false }).metadata());
  const tooLarge = (limit: string): CarpoolError =>
    new CarpoolError(
      'PAYLOAD_TOO_LARGE',
      `${where}: expected at most ${limit}, got ${head.width}x${head.height}`,
    );
  if (head.width * head.height > maxPixels) throw tooLarge(`${maxPixels} pixels`);
  if (Math.max(head.width, head.height) > MAX_SIDE) throw tooLarge(`${MAX_SIDE} pixels a side`);
  const { data, info } = await attempt(() =>
    library(input, { failOn: 'error', limitInputPixels: maxPixels, ignoreIcc: true, autoOrient: true })
      .removeAlpha()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true }),
  );
  const { width, height, channels } = info;
  return { width, height, data, channels: channels === 1 ? 1 : 3 };
};
