import type { TemplatePart } from './template.js';
import { sliceTokens, type TextTokens } from './truncate.js';

/** A sequence as the model takes it, special tokens included. */
export interface EncodedText {
  readonly ids: readonly number[];
  readonly truncated: boolean;
  /** Segment ids; absent where all are 0. */
  readonly typeIds?: readonly number[];
  /** 1 for tokens of the template. Where `wants` asks for more than the ids, as the next two. */
  readonly special?: readonly number[];
  /** Start and end of each token in its own text; 0 and 0 for those of the template. */
  readonly offsets?: readonly number[];
  /** 1 for tokens of the second text. */
  readonly ofPair?: readonly number[];
}

/** Puts the texts into the template. */
export const assemble = (
  template: readonly TemplatePart[],
  texts: { readonly a: TextTokens; readonly b?: TextTokens },
  truncated: boolean,
  withDetails: boolean,
): EncodedText => {
  const ids: number[] = [];
  const typeIds: number[] = [];
  const special: number[] = [];
  const offsets: number[] = [];
  const ofPair: number[] = [];
  for (const part of template) {
    const own: TextTokens = 'id' in part ? { ids: [part.id] } : (texts[part.text] ?? { ids: [] });
    for (const [i, id] of own.ids.entries()) {
      ids.push(id);
      typeIds.push(part.typeId);
      if (!withDetails) continue;
      special.push('id' in part ? 1 : 0);
      ofPair.push('text' in part && part.text === 'b' ? 1 : 0);
      offsets.push(own.offsets?.[2 * i] ?? 0, own.offsets?.[2 * i + 1] ?? 0);
    }
  }
  return {
    ids,
    truncated,
    ...(typeIds.some((typeId) => typeId !== 0) ? { typeIds } : {}),
    ...(withDetails ? { special, offsets, ofPair } : {}),
  };
};

/** Overlapping windows of at most `room` tokens. */
export const windowsOf = (tokens: TextTokens, room: number, stride: number): TextTokens[] => {
  const windows: TextTokens[] = [];
  for (let from = 0; ; from += room - stride) {
    const to = Math.min(from + room, tokens.ids.length);
    windows.push(sliceTokens(tokens, from, to));
    if (to === tokens.ids.length) return windows;
  }
};
