import { CarpoolError, messageOf } from '../errors.js';
import { cutPosition, cutRuleOf } from './cut.js';
import type { CutRule } from './cut.js';
import { newLibraryTokenizer } from './library.js';
import type { LibraryTokenizer } from './library.js';
import { padIdOf, specialTokensOf } from './special-tokens.js';
import type { SpecialTokens } from './special-tokens.js';
import { readTokenizerConfig, readTokenizerFile } from './tokenizer-file.js';
import type { TokenizerFile } from './tokenizer-file.js';
import { truncateIds } from './truncate.js';
import type { TruncationSide } from './truncate.js';
import { boundWordPiece, wordPieceSettings } from './wordpiece.js';

/**
 * Most characters, an overhead for each text included, that are tokenised on the event loop. Worst text found, in
 * milliseconds (bench/micro/tokenize.mjs): WordPiece 2.9 for 4,096 characters (Hangul; English 0.5). BPE and Unigram
 * take up to 9 µs a character (one long word, or one character of no piece at all), hence a quarter of that.
 */
const INLINE_CHARS_WORDPIECE = 4_096;
const INLINE_CHARS_OTHER = 1_024;

/** Characters tried first for each token wanted; English has 5 to 6. */
const CHARS_PER_TOKEN = 8;
const GROWTH = 4;

/** Cuts a text to `maxTokens` ids, special tokens included. */
export interface Truncation {
  readonly maxTokens: number;
  /** Default: `right`, the end is cut off. */
  readonly side?: TruncationSide;
}

export interface EncodedText {
  /** Token ids, special tokens included. Segment ids of a single text are all 0 and left out. */
  readonly ids: readonly number[];
  readonly truncated: boolean;
}

export class TextTokenizer {
  readonly padId: number;
  readonly special: SpecialTokens;
  /** Most characters that are cheap enough for the event loop. */
  readonly inlineChars: number;
  readonly #library: LibraryTokenizer;
  readonly #cutRule: CutRule | undefined;

  constructor(library: LibraryTokenizer, special: SpecialTokens, padId: number, file: TokenizerFile) {
    this.#library = library;
    this.special = special;
    this.padId = padId;
    this.#cutRule = cutRuleOf(file);
    this.inlineChars = file.model.type === 'WordPiece' ? INLINE_CHARS_WORDPIECE : INLINE_CHARS_OTHER;
  }

  /**
   * Ids of one text; whole where no truncation is asked for. The special tokens are kept; with fewer `maxTokens` than
   * those, only they are left.
   * @throws whatever the library throws, and Error where the vocabulary lacks a piece and an unknown token.
   */
  encode(text: string, truncation?: Truncation): EncodedText {
    const { prefix, suffix } = this.special;
    const { maxTokens = Infinity, side = 'right' } = truncation ?? {};
    const room = Math.max(0, maxTokens - prefix.length - suffix.length);
    const body = side === 'right' ? this.#firstIds(text, room) : this.#idsOf(text);
    const kept = truncateIds(body, room, side);
    return { ids: [...prefix, ...kept, ...suffix], truncated: body.length > room };
  }

  /** All ids of `text`, or the first of them: then more than `room`. */
  #firstIds(text: string, room: number): readonly number[] {
    if (this.#cutRule !== undefined) {
      for (let tried = (room + 1) * CHARS_PER_TOKEN; tried < text.length; tried *= GROWTH) {
        const cut = cutPosition(this.#cutRule, text, tried);
        if (cut === text.length) break;
        const ids = this.#idsOf(text.slice(0, cut));
        if (ids.length > room) return ids;
        tried = cut;
      }
    }
    return this.#idsOf(text);
  }

  #idsOf(text: string): readonly number[] {
    const { ids } = this.#library.encode(text, { add_special_tokens: false });
    if (!areIds(ids)) throw new Error('a part of it is not in the vocabulary, which has no unknown token');
    return ids;
  }
}

const areIds = (ids: readonly unknown[]): ids is readonly number[] => ids.every(Number.isInteger);

/**
 * Opens a Hugging Face fast tokenizer. `tokenizerJson` and `configJson` are the texts of `tokenizer.json` and
 * `tokenizer_config.json`; nothing is read from disk. Takes about 1 ms for every 1,000 entries of the vocabulary.
 * @throws CarpoolError MODEL_LOAD_FAILED saying what is wrong with the file.
 */
export const openTokenizer = (tokenizerJson: string, configJson = '{}'): TextTokenizer => {
  const file = readTokenizerFile(tokenizerJson);
  const config = readTokenizerConfig(configJson);
  try {
    const library = newLibraryTokenizer(file, config);
    const wordPiece = wordPieceSettings.safeParse(file.model);
    if (wordPiece.success) {
      requireUnknownToken(library, wordPiece.data.unk_token);
      boundWordPiece(library.model, wordPiece.data);
    }
    return new TextTokenizer(library, specialTokensOf(library), padIdOf(library, file, config), file);
  } catch (error) {
    if (error instanceof CarpoolError) throw error;
    throw new CarpoolError('MODEL_LOAD_FAILED', `tokenizer.json: ${messageOf(error)}`, { cause: error });
  }
};

/** Else the first text with an unknown word would find out. */
const requireUnknownToken = (library: LibraryTokenizer, token: string): void => {
  if (library.token_to_id(token) === undefined)
    throw new CarpoolError(
      'MODEL_LOAD_FAILED',
      `tokenizer.json at model: its unk_token "${token}" is not in the vocabulary`,
    );
};
