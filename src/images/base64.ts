import { CarpoolError } from '../errors.js';

const DATA_URL = /^data:[^,]{0,200},/i;

/**
 * Bytes of base64 (its URL alphabet too, with or without padding and line breaks) or of a `data:` URL. Addresses are
 * refused: the gateway fetches nothing.
 * @throws CarpoolError INVALID_REQUEST
 */
export const bytesOfBase64 = (text: string, where: string): Uint8Array => {
  const refuse = (got: string): CarpoolError =>
    new CarpoolError('INVALID_REQUEST', `${where}: expected an image in base64, got ${got}`);
  if (/^(?:https?|ftp|file|s3|gs):/i.test(text)) throw refuse('an address: images are not fetched');
  const head = DATA_URL.exec(text)?.[0] ?? '';
  if (head !== '' && !/;base64,$/i.test(head)) throw refuse('a data: URL without base64');
  const code = text
    .slice(head.length)
    .replace(/\s+/g, '')
    .replace(/={1,2}$/, '');
  const bytes = Buffer.from(code, 'base64');
  // What is no base64 is passed over by the decoder, and missing then.
  if (code === '' || bytes.byteLength !== Math.floor((code.length * 3) / 4))
    throw refuse(code === '' ? 'nothing' : 'other characters');
  return bytes;
};
