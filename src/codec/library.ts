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
  readonly normalizer: LibraryNormalizer | null;
  readonly pre_tokenizer: LibraryPreTokenizer | null;
  /** By content, as it is and as normalised. */
  readonly added_tokens_map: ReadonlyMap<string, AddedToken>;
  readonly splitter_unnormalized: Splitter;
  readonly splitter_normalized: Splitter;
  readonly remove_space?: unknown;
  readonly do_lowercase_and_remove_accent?: unknown;
  readonly post_processor: {
    post_process(tokens: string[], pair: null, addSpecialTokens: boolean): { readonly tokens: string[] };
  } | null;
}

export interface LibraryModel {
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  /** By id; has holes where ids are missing. */
  readonly vocab: readonly (string | undefined)[];
  readonly unk_token_id: number | undefined;
  readonly fuse_unk?: boolean;
  /** WordPiece only. */
  readonly max_input_chars_per_word?: number;
  readonly end_of_word_suffix?: string | null;
  readonly continuing_subword_suffix?: string | null;
  readonly config: { readonly continuing_subword_prefix?: string | null };
  encode(words: string[]): string[];
}

export interface AddedToken {
  readonly id: number;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
}

/** Cuts a text at the tokens that it knows; the parts make up the text. */
export interface Splitter {
  split(text: string): string[];
}

export interface LibraryNormalizer {
  readonly config?: { readonly type?: string };
  /** Of a sequence. */
  readonly normalizers?: readonly (LibraryNormalizer | null)[];
  /** What a `Replace` looks for. */
  readonly pattern?: RegExp | null;
  normalize(text: string): string;
}

export interface LibraryPreTokenizer {
  /** Of a sequence. */
  readonly tokenizers?: readonly (LibraryPreTokenizer | null)[];
  readonly pattern?: RegExp | null;
  readonly content?: string;
  readonly add_prefix_space?: boolean;
  readonly use_regex?: boolean;
  readonly byte_encoder?: Readonly<Record<number, string>>;
  pre_tokenize_text(text: string, options: { readonly section_index: number }): string[];
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
