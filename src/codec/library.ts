import { Tokenizer } from '@huggingface/tokenizers';

/**
 * What is used of `@huggingface/tokenizers`. Its own declarations don't resolve under NodeNext (their relative imports
 * lack extensions), so everything would be `any`; this is the one place that says otherwise.
 */
export interface LibraryTokenizer {
  encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: unknown[] };
  token_to_id(token: string): number | undefined;
  readonly model: LibraryModel;
  readonly post_processor: {
    post_process(tokens: string[], pair: null, addSpecialTokens: boolean): { readonly tokens: string[] };
  } | null;
}

export interface LibraryModel {
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  encode(words: string[]): string[];
}

/** @throws whatever the library throws on a file that it does not understand. */
export const newLibraryTokenizer = (file: object, config: object): LibraryTokenizer =>
  new (Tokenizer as unknown as new (file: object, config: object) => LibraryTokenizer)(file, config);
