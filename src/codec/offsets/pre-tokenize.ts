import { keyOf, listOf } from '../key-of.js';
import type { LibraryPreTokenizer } from '../library.js';
import { AlignedBuilder, alignLike, prepend, replaceAligned, sliceAligned, type Aligned } from './aligned.js';

/**
 * The tokenizer's pre-tokenizer, with the places kept.
 * @param config of the pre-tokenizer in tokenizer.json, which the library does not keep of all
 * @param section position of the text between added tokens, which Metaspace asks for
 */
export const preTokenizeAligned = (
  library: LibraryPreTokenizer | null,
  config: unknown,
  origin: Aligned,
  section: number,
): Aligned[] => {
  if (library === null) return [origin];
  const options = { section_index: section };
  switch (keyOf(config, 'type')) {
    case 'Sequence':
      return listOf(config, 'pretokenizers').reduce(
        (words: Aligned[], step, at) =>
          words.flatMap((word) => preTokenizeAligned(library.tokenizers?.[at] ?? null, step, word, section)),
        [origin],
      );
    case 'ByteLevel':
      return byteLevel(library, origin);
    case 'Metaspace':
      return [metaspace(library, origin, options)];
    case 'Replace':
      return library.pattern == null
        ? [origin]
        : [replaceAligned(origin, library.pattern, library.content ?? '')];
    default:
      return locate(origin, library.pre_tokenize_text(origin.text, options));
  }
};

/** All others only cut: their words stand in the text, in order. */
const locate = (origin: Aligned, words: readonly string[]): Aligned[] => {
  let at = 0;
  return words.flatMap((word) => {
    const from = origin.text.indexOf(word, at);
    if (from < 0) return [];
    at = from + word.length;
    return [sliceAligned(origin, from, at)];
  });
};

/** UTF-8, each byte written as one character: every byte stands where its character does. */
const byteLevel = (library: LibraryPreTokenizer, text: Aligned): Aligned[] => {
  const { add_prefix_space = false, use_regex = true, pattern, byte_encoder = {} } = library;
  const origin = add_prefix_space && !text.text.startsWith(' ') ? prepend(' ', text) : text;
  const words = use_regex && pattern != null ? (origin.text.match(pattern) ?? []) : [origin.text];
  const encoder = new TextEncoder();
  return locate(origin, words).map((word) => {
    const builder = new AlignedBuilder();
    let at = 0;
    for (const char of word.text) {
      for (const byte of encoder.encode(char)) builder.push(byte_encoder[byte] ?? '', word, at);
      at += char.length;
    }
    return builder.build();
  });
};

/** Spaces become `▁`, and one more is put before all. */
const metaspace = (
  library: LibraryPreTokenizer,
  origin: Aligned,
  options: { readonly section_index: number },
): Aligned => {
  const [text = ''] = library.pre_tokenize_text(origin.text, options);
  const added = text.length - origin.text.length;
  // Longer stand-ins for a space are not known to be in use.
  if (added < 0 || added > 1) return alignLike(origin, text);
  const same = added === 1 ? prepend(text.slice(0, 1), origin) : origin;
  return { ...same, text };
};
