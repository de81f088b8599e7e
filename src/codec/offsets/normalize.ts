import { keyOf } from '../key-of.js';
import type { LibraryNormalizer } from '../library.js';
import { changeAligned, prepend, replaceAligned, sliceAligned, type Aligned } from './aligned.js';

/** The tokenizer's normalizer, with the places kept. */
export const normalizeAligned = (normalizer: LibraryNormalizer | null, origin: Aligned): Aligned => {
  if (normalizer === null || origin.text === '') return origin;
  switch (normalizer.config?.type ?? '') {
    case 'Sequence':
      return (normalizer.normalizers ?? []).reduce(
        (text: Aligned, step) => normalizeAligned(step, text),
        origin,
      );
    case 'Strip':
      return stripped(normalizer, origin);
    case 'Prepend':
      return prepend(textOf(normalizer, 'prepend'), origin);
    case 'Replace':
      return normalizer.pattern == null
        ? origin
        : replaceAligned(origin, normalizer.pattern, textOf(normalizer, 'content'));
    default:
      return changeAligned(origin, (text) => normalizer.normalize(text));
  }
};

const stripped = (normalizer: LibraryNormalizer, origin: Aligned): Aligned => {
  const { text } = origin;
  const from = keyOf(normalizer.config, 'strip_left') === true ? text.length - text.trimStart().length : 0;
  const to = keyOf(normalizer.config, 'strip_right') === true ? text.trimEnd().length : text.length;
  return sliceAligned(origin, from, Math.max(from, to));
};

const textOf = ({ config }: LibraryNormalizer, key: string): string => {
  const value = keyOf(config, key);
  return typeof value === 'string' ? value : '';
};
