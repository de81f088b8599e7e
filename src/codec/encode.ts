import { CarpoolError, messageOf } from '../errors.js';
import type { TextUnit, TextWants, WindowOptions } from '../infer.js';
import type { EncodedText } from './assemble.js';
import { joinArrays, type EncodedTexts } from './encoded-texts.js';
import type { TextTokenizer } from './tokenizer.js';
import type { TruncationSide } from './truncate.js';

export interface EncodeOptions {
  /** Longest sequence of one text, special tokens included. */
  readonly maxTokens: number;
  /** false: a longer text is an error instead of cut. */
  readonly truncate: boolean;
  /** Which end of a text is kept. Default: the tokenizer's own. */
  readonly side?: TruncationSide;
  /** A longer text becomes several windows; `truncate` means nothing then. */
  readonly window?: WindowOptions;
  readonly wants?: TextWants;
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
  options: EncodeOptions,
): EncodedTexts => {
  const { firstIndex = 0, window, wants } = options;
  const sources: number[] = [];
  const encoded: EncodedText[] = [];
  for (const [index, text] of texts.entries())
    for (const one of encodeOne(tokenizer, text, options, firstIndex + index)) {
      encoded.push(one);
      sources.push(firstIndex + index);
    }
  const flat = (of: (text: EncodedText) => readonly number[] | undefined): (readonly number[])[] =>
    encoded.map((text) => of(text) ?? []);
  const ids = joinArrays(
    Int32Array,
    encoded.map((text) => text.ids),
  );
  const typed = encoded.some(({ typeIds }) => typeIds !== undefined);
  return {
    ids,
    lengths: Int32Array.from(encoded, (text) => text.ids.length),
    truncated: Uint8Array.from(encoded, ({ truncated }) => Number(truncated)),
    ...(typed ? { typeIds: joinArrays(Int32Array, encoded.map(typeIdsOf)) } : {}),
    ...(window === undefined ? {} : { sources: Int32Array.from(sources) }),
    ...(wants === undefined
      ? {}
      : {
          special: joinArrays(
            Uint8Array,
            flat(({ special }) => special),
          ),
        }),
    ...(wants?.offsets !== true
      ? {}
      : {
          offsets: joinArrays(
            Int32Array,
            flat(({ offsets }) => offsets),
          ),
          ofPair: joinArrays(
            Uint8Array,
            flat(({ ofPair }) => ofPair),
          ),
          pieces: Array.from(ids, (id) => tokenizer.pieceOf(id)),
        }),
  };
};

const typeIdsOf = ({ ids, typeIds }: EncodedText): readonly number[] => typeIds ?? ids.map(() => 0);

const encodeOne = (
  tokenizer: TextTokenizer,
  text: TextUnit,
  { maxTokens, truncate, side, window, wants }: EncodeOptions,
  index: number,
): EncodedText[] => {
  const options = { ...(side === undefined ? {} : { side }), ...(wants === undefined ? {} : { wants }) };
  const encoded = attempt(index, () => {
    if (window === undefined) return [tokenizer.encode(text, truncate ? { ...options, maxTokens } : options)];
    if (typeof text !== 'string')
      throw new CarpoolError('INVALID_REQUEST', `texts[${index}]: a pair of texts can't be run in windows`);
    return tokenizer.encodeWindows(text, window.stride, maxTokens, wants);
  });
  for (const { ids } of encoded)
    if (!truncate && ids.length > maxTokens)
      throw new CarpoolError(
        'INPUT_TOO_LONG',
        `texts[${index}]: ${ids.length} tokens, expected at most ${maxTokens} (set "truncate": true to cut it)`,
      );
  return encoded;
};

const attempt = <T>(index: number, encode: () => T): T => {
  try {
    return encode();
  } catch (error) {
    if (error instanceof CarpoolError) throw error;
    throw new CarpoolError(
      'INVALID_REQUEST',
      `texts[${index}]: the tokenizer can't take this text: ${messageOf(error)}`,
      { cause: error },
    );
  }
};
