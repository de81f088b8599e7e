import { CarpoolError } from '../errors.js';
import { keyOf, listOf } from './key-of.js';
import type { LibraryTokenizer } from './library.js';

/** A sequence as it is put together: the texts, and the special tokens around them, each with its segment id. */
export type TemplatePart =
  { readonly text: 'a' | 'b'; readonly typeId: number } | { readonly id: number; readonly typeId: number };

export interface PairTemplate {
  readonly parts: readonly TemplatePart[];
  /** Special tokens in it. */
  readonly added: number;
}

const A = { text: 'a', typeId: 0 } as const;

/**
 * The template of two texts, `[CLS] a [SEP] b [SEP]` say; undefined where the file has none for pairs. Read from the
 * file, because the library gives other segment ids than `tokenizers` for RoBERTa.
 * @throws CarpoolError MODEL_LOAD_FAILED where it adds a token that is not in the vocabulary
 */
export const pairTemplateOf = (tokenizer: LibraryTokenizer, processor: unknown): PairTemplate | undefined => {
  const parts = partsOf(tokenizer, processor) ?? [A, { text: 'b', typeId: 1 }];
  const hasBoth = (['a', 'b'] as const).every((text) =>
    parts.some((part) => 'text' in part && part.text === text),
  );
  return hasBoth ? { parts, added: parts.filter((part) => 'id' in part).length } : undefined;
};

const partsOf = (tokenizer: LibraryTokenizer, processor: unknown): TemplatePart[] | undefined => {
  const special = (token: unknown, typeId: number): TemplatePart => ({ id: idOf(tokenizer, token), typeId });
  const [cls] = listOf(processor, 'cls');
  const [sep] = listOf(processor, 'sep');
  switch (keyOf(processor, 'type')) {
    case 'BertProcessing':
      return [special(cls, 0), A, special(sep, 0), { text: 'b', typeId: 1 }, special(sep, 1)];
    case 'RobertaProcessing':
      return [
        special(cls, 0),
        A,
        special(sep, 0),
        special(sep, 0),
        { text: 'b', typeId: 0 },
        special(sep, 0),
      ];
    case 'TemplateProcessing':
      return listOf(processor, 'pair').map((part) => {
        const token = keyOf(part, 'SpecialToken');
        if (token !== undefined) return special(keyOf(token, 'id'), typeIdOf(token));
        const sequence = keyOf(part, 'Sequence');
        return { text: keyOf(sequence, 'id') === 'B' ? 'b' : 'a', typeId: typeIdOf(sequence) };
      });
    case 'Sequence':
      return listOf(processor, 'processors')
        .map((step) => partsOf(tokenizer, step))
        .find((parts) => parts !== undefined);
    default:
      return undefined;
  }
};

const typeIdOf = (part: unknown): number => {
  const typeId = keyOf(part, 'type_id');
  return typeof typeId === 'number' ? typeId : 0;
};

const idOf = (tokenizer: LibraryTokenizer, token: unknown): number => {
  const id = typeof token === 'string' ? tokenizer.token_to_id(token) : undefined;
  if (id !== undefined) return id;
  throw new CarpoolError(
    'MODEL_LOAD_FAILED',
    `tokenizer.json at post_processor: it adds the token ${JSON.stringify(token)}, which is not in the vocabulary`,
  );
};
