import { joinByteLevel } from './byte-level.js';
import { keyOf } from './key-of.js';
import { newLibraryDecoder } from './library.js';

/** Tokens to text by the tokenizer's own `decoder` (plain data); with spaces between them where it has none. */
export const joinPieces = (decoder: object | null, pieces: readonly string[]): string => {
  if (decoder === null) return pieces.join(' ');
  if (keyOf(decoder, 'type') === 'ByteLevel') return joinByteLevel(pieces);
  return newLibraryDecoder(decoder).decode([...pieces]);
};
