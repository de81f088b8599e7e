import type { Tensor } from './tensor.js';

/** What every protocol parses its body into, and the only thing that the pipeline takes. */
export interface InferRequest {
  /** Model name; absent where the protocol lets the gateway choose (`/predict`). */
  readonly model?: string;
  readonly input: TextInput | IdsInput | TensorInput | ImagesInput;
  readonly options: InferOptions;
}

/** One text, or two that make one sequence: `[CLS] text [SEP] pair [SEP]`. */
export type TextUnit = string | readonly [text: string, pair: string];

export interface TextInput {
  readonly kind: 'texts';
  readonly texts: readonly TextUnit[];
}

/** Token ids as a tokenizer gave them, special ones included. */
export interface IdsInput {
  readonly kind: 'ids';
  /** Of all sequences, one after the other. */
  readonly ids: Int32Array;
  /** Tokens of each sequence; the sum is `ids.length`. */
  readonly lengths: Int32Array;
}

export interface TensorInput {
  readonly kind: 'tensors';
  /** One tensor for every input of the model, in the order of its signature. */
  readonly tensors: readonly Tensor[];
  /** Length of axis 0, the same in all tensors; 1 where the model has no batch axis. */
  readonly rows: number;
}

export interface ImagesInput {
  readonly kind: 'images';
  /** Files: JPEG, PNG or WebP. */
  readonly images: readonly Uint8Array[];
  /** Key of the body that holds them, for messages; absent = the body is the only one. */
  readonly where?: string;
}

export interface InferOptions {
  /** Relative to the arrival of the request. Default: `batching.timeoutMs`. */
  readonly timeoutMs?: number;
  /** false: a text longer than the model's `maxTokens` is INPUT_TOO_LONG instead of cut. Default: the card's. */
  readonly truncate?: boolean;
  /** Which end of a text that is too long is cut off. Default `right`: its end. */
  readonly truncateFrom?: 'left' | 'right';
  /** Long texts as several overlapping items of at most `maxTokens` instead of cut ones. Not for pairs. */
  readonly window?: WindowOptions;
  /** What to tell of each text beside its length. */
  readonly wants?: TextWants;
  /**
   * Of an embedding model only each text's one vector is wanted: it is made in the lane, and the other outputs come
   * back empty. Nothing to other models.
   */
  readonly pooled?: boolean;
  /** Names of the outputs wanted; absent or empty = all. */
  readonly outputs?: readonly string[];
  /** 0 = default, 1 = highest, above 1 ever later (Open Inference Protocol); aged, so that low never starves. */
  readonly priority?: number;
}

export interface WindowOptions {
  /** Tokens that a window shares with the one before it. */
  readonly stride: number;
}

export interface TextWants {
  /** `ids` and `special` of each text. */
  readonly ids?: boolean;
  /** `pieces` and `offsets` as well. */
  readonly offsets?: boolean;
}

/** Number of items that a request will be answered for; windows are not known yet. */
export const rowsOfInput = (input: InferRequest['input']): number => {
  switch (input.kind) {
    case 'texts':
      return input.texts.length;
    case 'ids':
      return input.lengths.length;
    case 'images':
      return input.images.length;
    case 'tensors':
      return input.rows;
  }
};

/** The rows of one item, cut out of the batch it rode in: one tensor for every output of the model, in signature order. */
export interface ItemOutput {
  readonly outputs: readonly Tensor[];
}

/** What the pipeline hands to a protocol's renderer. Items stand in the order of the request. */
export interface InferResult {
  readonly items: readonly ItemOutput[];
  /** For texts and ids: one for every item. */
  readonly texts?: readonly TextFacts[];
  readonly timings: StageTimings;
  /** Of models with a response cache. */
  readonly cache?: CacheUse;
}

/** What a request had of the response cache; rows. */
export interface CacheUse {
  /** `bypass`: its `Cache-Control: no-store` forbade it. */
  readonly result: 'hit' | 'miss' | 'partial' | 'bypass';
  readonly hitRows: number;
  readonly missRows: number;
  /** Of the oldest answer that it got; absent without a hit. */
  readonly ageMs?: number;
}

/** How a text was run. Arrays have an entry for every token, special ones included. */
export interface TextFacts {
  readonly tokens: number;
  readonly truncated: boolean;
  /** Position of the text in its request, where it was divided into windows; absent = the item's own. */
  readonly source?: number;
  /** With `wants.ids`. */
  readonly ids?: Int32Array;
  /** With `wants.ids`: 1 for tokens that the tokenizer added around the text. */
  readonly special?: Uint8Array;
  /** With `wants.offsets`: the tokens as the vocabulary has them. */
  readonly pieces?: readonly string[];
  /**
   * With `wants.offsets`: start and end of each token, in UTF-16 code units of the text (of the pair for its tokens);
   * 0 and 0 for added ones.
   */
  readonly offsets?: Int32Array;
  /** With `wants.offsets` and a pair: 1 for tokens of the second text. */
  readonly ofPair?: Uint8Array;
}

/** Milliseconds of each stage; queue and run are the longest of the request's items. */
export interface StageTimings {
  readonly encodeMs: number;
  readonly queueMs: number;
  readonly runMs: number;
  /** Rows of the largest batch that an item of the request rode in. */
  readonly batchRows: number;
}
