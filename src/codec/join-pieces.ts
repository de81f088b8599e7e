import { newLibraryDecoder } from './library.js';

/** Tokens to text by the tokenizer's own `decoder` (plain data); with spaces between them where it has none. */
export const joinPieces = (decoder: object | null, pieces: readonly string[]): string =>
  decoder === null ? pieces.join(' ') : newLibraryDecoder(decoder).decode([...pieces]);
