import { CarpoolError, messageOf } from '../errors.js';
import type { TextUnit } from '../infer.js';
import type { EncodedText, TextTokenizer } from './tokenizer.js';

/** Token ids of several texts, ragged: plain data whose buffers can be transferred. */
export interface EncodedTexts {
  /** Ids of all texts, one after the other, special tokens included. */
  readonly ids: Int32Array;
  /** Tokens of each text; the sum is `ids.length`. */
  readonly lengths: Int32Array;
  /** 1 where a text was cut. */
  readonly truncated: Uint8Array;
}

export interface EncodeOptions {
  /** Longest sequence of one text, special tokens included. */
  readonly maxTokens: number;
  /** false: a longer text is an error instead of cut. */
  readonly truncate: boolean;
  /** Position of the first text in its request, for messages. Default 0. */
  readonly firstIndex?: number;
}

/**
 * @throws CarpoolError INPUT_TOO_LONG for a text longer than `maxTokens` when `truncate` is false; INVALID_REQUEST for
 * a text that the tokenizer can't take. Both name the text's position.
 */
export const encodeTexts = (
  tokenizer: TextTokenizer,
  texts: readonly TextUnit[],
  { maxTokens, truncate, firstIndex = 0 }: EncodeOptions,
): EncodedTexts => {
  const lengths = new Int32Array(texts.length);
  const truncated = new Uint8Array(texts.length);
  const parts = texts.map((text, index) => {
    const encoded = encodeOne(tokenizer, text, truncate ? { maxTokens } : undefined, firstIndex + index);
    if (!truncate && encoded.ids.length > maxTokens)
      throw new CarpoolError(
        'INPUT_TOO_LONG',
        `texts[${firstIndex + index}]: ${encoded.ids.length} tokens, expected at most ${maxTokens} (set "truncate": true to cut it)`,
      );
    lengths[index] = encoded.ids.length;
    truncated[index] = Number(encoded.truncated);
    return encoded.ids;
  });
  return { ids: joinArrays(Int32Array, parts), lengths, truncated };
};

/** Puts the encoded slices of one request together again. */
export const joinEncoded = (slices: readonly EncodedTexts[]): EncodedTexts => ({
  ids: joinArrays(
    Int32Array,
    slices.map(({ ids }) => ids),
  ),
  lengths: joinArrays(
    Int32Array,
    slices.map(({ lengths }) => lengths),
  ),
  truncated: joinArrays(
    Uint8Array,
    slices.map(({ truncated }) => truncated),
  ),
});

const encodeOne = (
  tokenizer: TextTokenizer,
  text: TextUnit,
  truncation: { readonly maxTokens: number } | undefined,
  index: number,
): EncodedText => {
  try {
    if (typeof text !== 'string') throw new Error('pairs of texts can not be encoded');
    return tokenizer.encode(text, truncation);
  } catch (error) {
    throw new CarpoolError(
      'INVALID_REQUEST',
      `texts[${index}]: the tokenizer can't take this text: ${messageOf(error)}`,
      { cause: error },
    );
  }
};

const joinArrays = <T extends { set(part: ArrayLike<number>, offset: number): void }>(
  make: new (length: number) => T,
  parts: readonly ArrayLike<number>[],
): T => {
  const joined = new make(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
};
