import { CarpoolError, messageOf } from '../errors.js';
import type { TextUnit, TextWants } from '../infer.js';
import type { TokenizerView } from '../models/model-info.js';
import { assemble, windowsOf } from './assemble.js';
import type { EncodedText } from './assemble.js';
import { cutPosition, cutRuleOf } from './cut.js';
import type { CutRule } from './cut.js';
import { keyOf } from './key-of.js';
import { newLibraryTokenizer } from './library.js';
import type { LibraryTokenizer } from './library.js';
import { encodeAligned } from './offsets/encode-aligned.js';
import { usePrecompiledTables } from './precompiled.js';
import { padIdOf, sideOf, specialTokensOf, templateAround } from './special-tokens.js';
import type { SpecialTokens } from './special-tokens.js';
import { readTokenizerConfig, readTokenizerFile } from './tokenizer-file.js';
import { pairTemplateOf } from './template.js';
import type { PairTemplate, TemplatePart } from './template.js';
import type { TokenizerConfig, TokenizerFile } from './tokenizer-file.js';
import { pairRooms, truncateTokens } from './truncate.js';
import type { TextTokens, TruncationSide } from './truncate.js';
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

/** What is made of a text. */
export interface EncodeTextOptions {
  /** Longest sequence, special tokens included. Default: any. */
  readonly maxTokens?: number;
  /** Which end is kept. Default: the tokenizer's own, mostly `right`. */
  readonly side?: TruncationSide;
  /** Default: ids and segment ids only. */
  readonly wants?: TextWants;
}

export class TextTokenizer {
  readonly padId: number;
  readonly special: SpecialTokens;
  /** Most characters that are cheap enough for the event loop. */
  readonly inlineChars: number;
  /** What `tokenizer_config.json` or the file's own truncation say, else `right`. */
  readonly side: TruncationSide;
  readonly #library: LibraryTokenizer;
  readonly #file: TokenizerFile;
  readonly #cutRule: CutRule | undefined;
  readonly #single: readonly TemplatePart[];
  readonly #pair: PairTemplate | undefined;

  /** @throws CarpoolError MODEL_LOAD_FAILED when a template adds what is not in the vocabulary. */
  constructor(library: LibraryTokenizer, file: TokenizerFile, config: TokenizerConfig) {
    this.#library = library;
    this.#file = file;
    this.special = specialTokensOf(library);
    this.padId = padIdOf(library, file, config);
    this.side = sideOf(file, config);
    this.#cutRule = cutRuleOf(file);
    this.#single = templateAround(this.special);
    this.#pair = pairTemplateOf(library, file.post_processor);
    this.inlineChars = file.model.type === 'WordPiece' ? INLINE_CHARS_WORDPIECE : INLINE_CHARS_OTHER;
  }

  /** What reading an answer takes. */
  get view(): TokenizerView {
    const { vocab, unk_token_id: unknownId } = this.#library.model;
    return {
      decoder: this.#file.decoder,
      vocabularySize: vocab.length,
      wordAware: Boolean(keyOf(this.#file.model, 'continuing_subword_prefix')),
      ...(unknownId === undefined ? {} : { unknownId }),
    };
  }

  /**
   * Ids of one text or pair; whole where no `maxTokens` is given. Special tokens are kept; with fewer `maxTokens` than
   * those, only they are left. Of a pair the longer text is cut first.
   * @throws whatever the library throws, and Error where the vocabulary lacks a piece and an unknown token or the
   * tokenizer has no template for pairs.
   */
  encode(
    text: TextUnit,
    { maxTokens = Infinity, side = this.side, wants }: EncodeTextOptions = {},
  ): EncodedText {
    if (typeof text !== 'string') return this.#encodePair(text, maxTokens, side, wants);
    const { prefix, suffix } = this.special;
    const room = Math.max(0, maxTokens - prefix.length - suffix.length);
    const whole = this.#tokensOf(text, side === 'right' ? room : Infinity, wants);
    const kept = truncateTokens(whole, room, side);
    const truncated = whole.ids.length > room;
    if (wants !== undefined) return assemble(this.#single, { a: kept }, truncated, true);
    return { ids: [...prefix, ...kept.ids, ...suffix], truncated };
  }

  /**
   * A text in windows of at most `maxTokens`, each sharing `stride` tokens with the one before.
   * @throws as `encode`; CarpoolError INVALID_REQUEST unless `stride` is less than the tokens that a window has room for.
   */
  encodeWindows(text: string, stride: number, maxTokens: number, wants?: TextWants): EncodedText[] {
    const room = maxTokens - this.special.prefix.length - this.special.suffix.length;
    if (stride >= room)
      throw new CarpoolError(
        'INVALID_REQUEST',
        `window.stride: expected less than the ${room} tokens of a window, got ${stride}`,
      );
    return windowsOf(this.#tokensOf(text, Infinity, wants), room, stride).map((a) =>
      assemble(this.#single, { a }, false, wants !== undefined),
    );
  }

  /** The vocabulary's entry; empty where there is none. */
  pieceOf(id: number): string {
    return this.#library.id_to_token(id) ?? '';
  }

  /** @throws Error for an id that is not in the vocabulary. */
  decode(ids: readonly number[], skipSpecial: boolean): string {
    if (ids.length === 0) return '';
    for (const id of ids)
      if (this.#library.id_to_token(id) === undefined) throw new Error(`no token has the id ${id}`);
    return this.#library.decode(ids, { skip_special_tokens: skipSpecial });
  }

  #encodePair(
    [first, second]: readonly [string, string],
    maxTokens: number,
    side: TruncationSide,
    wants: TextWants | undefined,
  ): EncodedText {
    if (this.#pair === undefined) throw new Error('tokenizer.json has no template for pairs of texts');
    const room = Math.max(0, maxTokens - this.#pair.added);
    const enough = side === 'right' ? room : Infinity;
    const a = this.#tokensOf(first, enough, wants);
    const b = this.#tokensOf(second, enough, wants);
    const [ofA, ofB] = pairRooms(a.ids.length, b.ids.length, room);
    const texts = { a: truncateTokens(a, ofA, side), b: truncateTokens(b, ofB, side) };
    const truncated = a.ids.length + b.ids.length > room;
    return assemble(this.#pair.parts, texts, truncated, wants !== undefined);
  }

  /** All tokens of `text`, or the first of them: then more than `room`. */
  #tokensOf(text: string, room: number, wants: TextWants | undefined): TextTokens {
    if (this.#cutRule !== undefined && room !== Infinity) {
      for (let tried = (room + 1) * CHARS_PER_TOKEN; tried < text.length; tried *= GROWTH) {
        const cut = cutPosition(this.#cutRule, text, tried);
        if (cut === text.length) break;
        const tokens = this.#allTokens(text.slice(0, cut), wants);
        if (tokens.ids.length > room) return tokens;
        tried = cut;
      }
    }
    return this.#allTokens(text, wants);
  }

  #allTokens(text: string, wants: TextWants | undefined): TextTokens {
    if (wants?.offsets === true) return encodeAligned(this.#library, this.#file, text);
    const { ids } = this.#library.encode(text, { add_special_tokens: false });
    if (!areIds(ids)) throw new Error('a part of it is not in the vocabulary, which has no unknown token');
    return { ids };
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
    usePrecompiledTables(library.normalizer);
    const wordPiece = wordPieceSettings.safeParse(file.model);
    if (wordPiece.success) {
      requireUnknownToken(library, wordPiece.data.unk_token);
      boundWordPiece(library.model, wordPiece.data);
    }
    return new TextTokenizer(library, file, config);
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
