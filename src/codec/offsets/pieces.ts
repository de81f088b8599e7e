import type { LibraryModel } from '../library.js';
import type { Aligned } from './aligned.js';

/** A token of a word: `[from, to)` are UTF-16 units of the word. */
export interface WordPart {
  readonly id: number | undefined;
  readonly from: number;
  readonly to: number;
}

const BYTE_TOKEN = /^<0x[0-9A-F]{2}>$/;

/** The model's tokens of one word, found again in it. */
export const partsOf = (model: LibraryModel, { text }: Aligned): WordPart[] => {
  const parts: WordPart[] = [];
  let at = 0;
  let bytesLeft = 0;
  for (const piece of model.encode([text])) {
    const id = model.tokens_to_ids.get(piece) ?? model.unk_token_id;
    const length = surfaceLength(model, text, piece, at);
    if (length === undefined && BYTE_TOKEN.test(piece)) {
      // A character of several bytes is several tokens, each of which stands for all of it.
      const char = charAt(text, at);
      if (bytesLeft === 0) bytesLeft = Buffer.byteLength(char);
      parts.push({ id, from: at, to: at + char.length });
      bytesLeft--;
      if (bytesLeft === 0) at += char.length;
      continue;
    }
    const to = Math.min(text.length, at + (length ?? unknownLength(model, text, at)));
    parts.push({ id, from: at, to });
    at = to;
  }
  return parts;
};

/** How much of the word a piece stands for; undefined where its text isn't there. */
const surfaceLength = (model: LibraryModel, text: string, piece: string, at: number): number | undefined => {
  if (text.startsWith(piece, at)) return piece.length;
  const prefix = model.config.continuing_subword_prefix ?? '';
  if (at > 0 && prefix !== '' && piece.startsWith(prefix) && text.startsWith(piece.slice(prefix.length), at))
    return piece.length - prefix.length;
  for (const suffix of [model.end_of_word_suffix, model.continuing_subword_suffix])
    if (typeof suffix === 'string' && suffix !== '' && piece.endsWith(suffix)) {
      const surface = piece.slice(0, -suffix.length);
      if (text.startsWith(surface, at)) return surface.length;
    }
  return undefined;
};

/** WordPiece has one unknown token for the word, the others one for each character. */
const unknownLength = (model: LibraryModel, text: string, at: number): number =>
  model.max_input_chars_per_word === undefined ? charAt(text, at).length : text.length - at;

const charAt = (text: string, at: number): string => String.fromCodePoint(text.codePointAt(at) ?? 0);
