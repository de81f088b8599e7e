import type { LibraryTokenizer } from '../library.js';
import type { TokenizerFile } from '../tokenizer-file.js';
import { alignedSource, changeAligned, sliceAligned, type Aligned } from './aligned.js';
import { normalizeAligned } from './normalize.js';
import { partsOf } from './pieces.js';
import { preTokenizeAligned } from './pre-tokenize.js';
import { sectionsOf } from './sections.js';
import { trimRuleOf, trimSpaces } from './trim-spaces.js';

/** Tokens of a text without the special ones around it. */
export interface AlignedTokens {
  readonly ids: readonly number[];
  /** Start and end of each token, in UTF-16 code units of the text. */
  readonly offsets: readonly number[];
}

/**
 * The library's own steps, one by one, with the places kept: it gives ids only.
 *
 *   text ─ added tokens ─▶ sections ─ normalizer ─▶ ─ pre-tokenizer ─▶ words ─ model ─▶ tokens ─ trim_offsets ─▶
 *
 * @throws Error where the vocabulary lacks a piece and an unknown token
 */
export const encodeAligned = (
  library: LibraryTokenizer,
  file: TokenizerFile,
  text: string,
): AlignedTokens => {
  const tokens: PlacedToken[] = [];
  for (const [index, section] of sectionsOf(library, library.splitter_unnormalized, text).entries()) {
    const source = alignedSource(text, section.from, section.to);
    if (source.text === '') continue;
    if (section.added !== undefined) {
      tokens.push(placed(section.added, source, 0, source.text.length));
      continue;
    }
    const normal = normalizeAligned(library.normalizer, beforeNormalizer(library, source));
    for (const part of sectionsOf(library, library.splitter_normalized, normal.text)) {
      const stretch = sliceAligned(normal, part.from, part.to);
      if (stretch.text === '') continue;
      if (part.added !== undefined) tokens.push(placed(part.added, stretch, 0, stretch.text.length));
      else tokens.push(...stretchTokens(library, file, stretch, index));
    }
  }
  const ids = tokens.map(({ id }) => id);
  const offsets = tokens.flatMap(({ start, end }) => [start, end]);
  const trim = trimRuleOf(file.post_processor);
  if (trim !== undefined)
    trimSpaces(trim, text, ids, offsets, (id, surface) => surfaceOf(library, id, surface));
  return { ids, offsets };
};

interface PlacedToken {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

/** A token that stands for units `[from, to)` of a text. */
const placed = (id: number | undefined, { starts, ends }: Aligned, from: number, to: number): PlacedToken => {
  if (id === undefined) throw new Error('a part of it is not in the vocabulary, which has no unknown token');
  return { id, start: starts[from] ?? 0, end: ends[Math.max(from, to - 1)] ?? 0 };
};

/** Tokens of what stands between added tokens. */
const stretchTokens = (
  { pre_tokenizer, model }: LibraryTokenizer,
  file: TokenizerFile,
  stretch: Aligned,
  section: number,
): PlacedToken[] => {
  const tokens: PlacedToken[] = [];
  for (const word of preTokenizeAligned(pre_tokenizer, file.pre_tokenizer, stretch, section))
    for (const { id, from, to } of partsOf(model, word)) {
      const token = placed(id, word, from, to);
      const last = tokens.at(-1);
      // Like the library: neighbouring unknown tokens are one, across words too.
      const fused = model.fuse_unk === true && token.id === model.unk_token_id && last?.id === token.id;
      if (fused) tokens[tokens.length - 1] = { ...last, end: token.end };
      else tokens.push(token);
    }
  return tokens;
};

/** The vocabulary's entry; of an added token what it matched, the white space that it took along included. */
const surfaceOf = (library: LibraryTokenizer, id: number, surface: string): string => {
  const piece = library.id_to_token(id) ?? '';
  return library.added_tokens_map.has(piece) ? surface : piece;
};

/** What old tokenizer_config.json files ask for. */
const beforeNormalizer = (library: LibraryTokenizer, source: Aligned): Aligned => {
  const spaced =
    library.remove_space === true
      ? changeAligned(source, (text) => text.trim().split(/\s+/).join(' '))
      : source;
  if (library.do_lowercase_and_remove_accent !== true) return spaced;
  return changeAligned(spaced, (text) => text.toLowerCase().replace(/\p{M}/gu, ''));
};
