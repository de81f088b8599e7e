import { keyOf, listOf } from '../key-of.js';

/** `trim_offsets` of a byte-level post-processor: offsets leave the spaces out that belong to the token. */
export interface TrimRule {
  /** The first space of the first token was put there by the pre-tokenizer, not by the text. */
  readonly addPrefixSpace: boolean;
}

/** The rule of a tokenizer.json's `post_processor`; undefined where offsets are left as they are. */
export const trimRuleOf = (processor: unknown): TrimRule | undefined => {
  const type = keyOf(processor, 'type');
  if (type === 'Sequence')
    return listOf(processor, 'processors')
      .map(trimRuleOf)
      .find((rule) => rule !== undefined);
  if (type !== 'ByteLevel' && type !== 'RobertaProcessing') return undefined;
  if (keyOf(processor, 'trim_offsets') === false) return undefined;
  return { addPrefixSpace: keyOf(processor, 'add_prefix_space') !== false };
};

const SPACES_BEFORE = /^[\u0120\s]*/u;
const SPACES_AFTER = /[\u0120\s]*$/u;

/** Moves the offsets, in place, as `process_offsets` of `tokenizers` does: by whole characters, spaces or not. */
export const trimSpaces = (
  { addPrefixSpace }: TrimRule,
  text: string,
  ids: readonly number[],
  offsets: number[],
  pieceOf: (id: number, surface: string) => string,
): void => {
  for (const [i, id] of ids.entries()) {
    let start = offsets[2 * i] ?? 0;
    let end = offsets[2 * i + 1] ?? 0;
    const piece = pieceOf(id, text.slice(start, end));
    let before = SPACES_BEFORE.exec(piece)?.[0].length ?? 0;
    const after = SPACES_AFTER.exec(piece)?.[0].length ?? 0;
    if (before === 0 && after === 0) continue;
    if ((i === 0 || start === 0) && addPrefixSpace && before === 1) before = 0;
    if (before > 0) start = Math.min(atCharacter(text, start + before, 1), end);
    if (after > 0 && end >= after) end = Math.max(atCharacter(text, end - after, -1), start);
    offsets[2 * i] = start;
    offsets[2 * i + 1] = end;
  }
};

/** `at`, or the next position in that direction that is not inside of a surrogate pair. */
const atCharacter = (text: string, at: number, direction: 1 | -1): number =>
  /[\ud800-\udbff]/.test(text[at - 1] ?? '') && /[\udc00-\udfff]/.test(text[at] ?? '') ? at + direction : at;
