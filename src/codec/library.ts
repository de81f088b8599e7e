import * as library from '@huggingface/tokenizers';

/**
 * What is used of `@huggingface/tokenizers`. Its own declarations don't resolve under NodeNext (their relative imports
 * lack extensions), so everything would be `any`; this is the one place that says otherwise.
 */
export interface LibraryTokenizer {
  encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: unknown[] };
  decode(ids: readonly number[], options: { readonly skip_special_tokens: boolean }): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
  readonly model: LibraryModel;
  readonly post_processor: {
    post_process(tokens: string[], pair: null, addSpecialTokens: boolean): { readonly tokens: string[] };
  } | null;
}

export interface LibraryModel {
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  /** By id; has holes where ids are missing. */
  readonly vocab: readonly (string | undefined)[];
  readonly unk_token_id: number | undefined;
  encode(words: string[]): string[];
}

export interface LibraryDecoder {
  decode(tokens: string[]): string;
}

interface LibraryClasses {
  readonly Tokenizer: new (file: object, config: object) => LibraryTokenizer;
  readonly SequenceDecoder: new (config: object) => LibraryDecoder;
}

const { Tokenizer, SequenceDecoder } = library as unknown as LibraryClasses;

/** @throws whatever the library throws on a file that it does not understand. */
export const newLibraryTokenizer = (file: object, config: object): LibraryTokenizer =>
  new Tokenizer(file, config);

/** @param decoder `decoder` of tokenizer.json. @throws whatever the library throws for one that it does not know */
export const newLibraryDecoder = (decoder: object): LibraryDecoder =>
  new SequenceDecoder({ type: 'Sequence', decoders: [decoder] });
