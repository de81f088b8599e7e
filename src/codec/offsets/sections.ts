import type { LibraryTokenizer, Splitter } from '../library.js';

/** A stretch of a text: an added token, or what stands between these. */
export interface Section {
  readonly from: number;
  readonly to: number;
  /** Id of the added token. */
  readonly added?: number;
}

/** Cuts a text at its added tokens. One that strips takes the white space beside it along. */
export const sectionsOf = (
  { added_tokens_map: added }: LibraryTokenizer,
  splitter: Splitter,
  text: string,
): Section[] => {
  const bounds = splitter.split(text).map((section) => ({ section, from: 0, to: 0 }));
  let at = 0;
  for (const bound of bounds) {
    bound.from = at;
    at += bound.section.length;
    bound.to = at;
  }
  for (const [i, bound] of bounds.entries()) {
    const token = added.get(bound.section);
    const before = bounds[i - 1];
    const after = bounds[i + 1];
    if (token?.lstrip === true && before !== undefined)
      bound.from = before.to = before.from + text.slice(before.from, before.to).trimEnd().length;
    if (token?.rstrip === true && after !== undefined)
      bound.to = after.from = after.to - text.slice(after.from, after.to).trimStart().length;
  }
  return bounds.map(({ section, from, to }) => {
    const token = added.get(section);
    return token === undefined ? { from, to } : { from, to, added: token.id };
  });
};
