import { z } from 'zod';
import type { LibraryModel } from './library.js';

/** The settings of a WordPiece model in tokenizer.json. */
export const wordPieceSettings = z.looseObject({
  type: z.literal('WordPiece'),
  unk_token: z.string(),
  continuing_subword_prefix: z.string(),
  max_input_chars_per_word: z.int().default(100),
});

export type WordPieceSettings = z.infer<typeof wordPieceSettings>;
/**
 * The library's WordPiece with the same answers but without its worst case: it tries every end of a word from the
 * far one down, so 4,096 characters of 99-letter junk words hold the event loop for 100 ms. A piece is never longer
 * than the longest entry of the vocabulary with the same first two characters: looking no further makes that 2 ms.
 */
export const boundWordPiece = (
  model: Pick<LibraryModel, 'tokens_to_ids' | 'encode'>,
  settings: WordPieceSettings,
): void => {
  const splitter = new WordSplitter(model.tokens_to_ids, settings);
  model.encode = (words) => {
    const pieces: string[] = [];
    for (const word of words) splitter.split(word, pieces);
    return pieces;
  };
};

class WordSplitter {
  readonly #vocabulary: ReadonlyMap<string, number>;
  readonly #prefix: string;
  readonly #maxChars: number;
  readonly #unknown: string;
  /** Length of the longest entry, without the prefix, by its first two UTF-16 units. */
  readonly #longest = new Map<string, number>();

  constructor(vocabulary: ReadonlyMap<string, number>, settings: WordPieceSettings) {
    this.#vocabulary = vocabulary;
    this.#prefix = settings.continuing_subword_prefix;
    this.#maxChars = settings.max_input_chars_per_word;
    this.#unknown = settings.unk_token;
    for (const token of vocabulary.keys()) {
      this.#note(token);
      if (token.startsWith(this.#prefix)) this.#note(token.slice(this.#prefix.length));
    }
  }

  #note(piece: string): void {
    const start = piece.slice(0, 2);
    this.#longest.set(start, Math.max(this.#longest.get(start) ?? 0, piece.length));
  }

  /** Appends the pieces of `word`, longest first match from the left; one unknown token when some part has none. */
  split(word: string, pieces: string[]): void {
    const before = pieces.length;
    if (word.length > this.#maxChars && Array.from(word).length > this.#maxChars) {
      pieces.push(this.#unknown);
      return;
    }
    for (let start = 0; start < word.length;) {
      const end = this.#endOfPiece(word, start);
      if (end === start) {
        pieces.length = before;
        pieces.push(this.#unknown);
        return;
      }
      pieces.push(start > 0 ? this.#prefix + word.slice(start, end) : word.slice(start, end));
      start = end;
    }
  }

  #endOfPiece(word: string, start: number): number {
    // A one-unit entry is not listed under the two units that stand here, hence at least 1.
    const reach = Math.max(1, this.#longest.get(word.slice(start, start + 2)) ?? 1);
    for (let end = Math.min(word.length, start + reach); end > start; end--) {
      // The library goes by code points: half a surrogate pair is no end.
      if (isHighSurrogate(word.charCodeAt(end - 1)) && isLowSurrogate(word.charCodeAt(end))) continue;
      const piece = word.slice(start, end);
      if (this.#vocabulary.has(start > 0 ? this.#prefix + piece : piece)) return end;
    }
    return start;
  }
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
