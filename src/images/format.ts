import { CarpoolError } from '../errors.js';

export type ImageFormat = 'JPEG' | 'PNG' | 'WebP';

const KNOWN: readonly (readonly [name: string, magic: RegExp])[] = [
  ['JPEG', /^\xff\xd8\xff/],
  ['PNG', /^\x89PNG\r\n\x1a\n/],
  ['WebP', /^RIFF[^]{4}WEBP/],
  ['GIF', /^GIF8[79]a/],
  ['BMP', /^BM[^]{4}\0\0\0\0/],
  ['TIFF', /^(?:II\*\0|MM\0\*)/],
  ['AVIF', /^[^]{4}ftypavi[fs]/],
  ['HEIC', /^[^]{4}ftyp(?:hei|mif1|msf1)/],
  ['SVG', /^\s*<(?:svg|\?xml)/],
  ['PDF', /^%PDF-/],
];
const TAKEN: readonly string[] = ['JPEG', 'PNG', 'WebP'] satisfies ImageFormat[];

/** Enough for every one of them. */
const HEAD_BYTES = 16;

const isTaken = (name: string): name is ImageFormat => TAKEN.includes(name);

const nameOf = (bytes: Uint8Array): string | undefined => {
  const head = Buffer.from(bytes.subarray(0, HEAD_BYTES)).toString('latin1');
  return KNOWN.find(([, magic]) => magic.test(head))?.[0];
};

/** Whether it is of a format that we take. */
export const isImage = (bytes: Uint8Array): boolean => isTaken(nameOf(bytes) ?? '');

/**
 * By its first bytes, whatever a client calls it; and nothing else ever reaches the decoder.
 * @throws CarpoolError UNSUPPORTED_MEDIA_TYPE for other formats, INVALID_REQUEST for what is no image
 */
export const formatOf = (bytes: Uint8Array, where: string): ImageFormat => {
  const name = nameOf(bytes);
  if (name !== undefined && isTaken(name)) return name;
  if (name !== undefined)
    throw new CarpoolError(
      'UNSUPPORTED_MEDIA_TYPE',
      `${where}: expected a JPEG, PNG or WebP image, got ${name}`,
    );
  const head = Buffer.from(bytes.subarray(0, 8)).toString('hex');
  const got = head === '' ? 'no bytes' : `bytes that begin with ${head}`;
  throw new CarpoolError('INVALID_REQUEST', `${where}: expected a JPEG, PNG or WebP image, got ${got}`);
};
