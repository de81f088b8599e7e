import { CarpoolError } from '../errors.js';
import type { LibraryTokenizer } from './library.js';
import type { TemplatePart } from './template.js';
import type { TokenizerConfig, TokenizerFile } from './tokenizer-file.js';
import type { TruncationSide } from './truncate.js';

/** The ids that the post-processor puts around a single text: BERT `[CLS]` … `[SEP]`, RoBERTa `<s>` … `</s>`. */
export interface SpecialTokens {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
}

/** Stands for the text; no vocabulary has it. */
const TEXT = '\u0000text\u0000';

/**
 * Asks the post-processor itself, with a stand-in for the text, so that no text can be taken for a special token.
 * @throws CarpoolError MODEL_LOAD_FAILED when the template drops or repeats the text, or adds an unknown token.
 */
export const specialTokensOf = (tokenizer: LibraryTokenizer): SpecialTokens => {
  if (tokenizer.post_processor === null) return { prefix: [], suffix: [] };
  const { tokens } = tokenizer.post_processor.post_process([TEXT], null, true);
  const at = tokens.indexOf(TEXT);
  if (at < 0 || tokens.lastIndexOf(TEXT) !== at)
    throw new CarpoolError(
      'MODEL_LOAD_FAILED',
      'tokenizer.json at post_processor: expected the text once in the template for single texts',
    );
  const idOf = (token: string): number => {
    const id = tokenizer.token_to_id(token);
    if (id === undefined)
      throw new CarpoolError(
        'MODEL_LOAD_FAILED',
        `tokenizer.json at post_processor: it adds the token "${token}", which is not in the vocabulary`,
      );
    return id;
  };
  return { prefix: tokens.slice(0, at).map(idOf), suffix: tokens.slice(at + 1).map(idOf) };
};

/**
 * What shorter texts of a batch are filled up with: `padding.pad_id`, else tokenizer_config's `pad_token`, else the
 * usual names, else 0 (the attention mask hides it).
 */
export const padIdOf = (
  tokenizer: LibraryTokenizer,
  file: TokenizerFile,
  config: TokenizerConfig,
): number => {
  const named = typeof config.pad_token === 'object' ? config.pad_token?.content : config.pad_token;
  return (
    file.padding?.pad_id ??
    (named === undefined ? undefined : tokenizer.token_to_id(named)) ??
    tokenizer.token_to_id('[PAD]') ??
    tokenizer.token_to_id('<pad>') ??
    0
  );
};

export const templateAround = ({ prefix, suffix }: SpecialTokens): TemplatePart[] => [
  ...prefix.map((id) => ({ id, typeId: 0 })),
  { text: 'a', typeId: 0 },
  ...suffix.map((id) => ({ id, typeId: 0 })),
];

/** As transformers: tokenizer_config's `truncation_side`, else the direction of the truncation in tokenizer.json. */
export const sideOf = (file: TokenizerFile, config: TokenizerConfig): TruncationSide =>
  config.truncation_side ?? (file.truncation?.direction?.toLowerCase() === 'left' ? 'left' : 'right');
