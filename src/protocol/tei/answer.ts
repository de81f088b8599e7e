/** What a request of text-embeddings-inference asks for. */
export type TeiAnswer = {
  readonly kind: 'tei';
  /** Of the inputs, for a header. */
  readonly characters: number;
} & TeiAsk;

export type TeiCall = TeiAsk['call'];

type TeiAsk =
  | {
      readonly call: 'predict';
      /** A text or a pair by itself: its scores are not in one more list. */
      readonly single: boolean;
      /** Logits as they are. */
      readonly raw: boolean;
    }
  | { readonly call: 'embed'; readonly normalize: boolean; readonly dimensions?: number }
  | { readonly call: 'embed_all' }
  | {
      readonly call: 'rerank';
      readonly raw: boolean;
      /** Where they are to be returned. */
      readonly texts?: readonly string[];
    }
  | { readonly call: 'similarity' }
  | { readonly call: 'tokenize'; readonly special: boolean }
  | { readonly call: 'decode'; readonly skipSpecial: boolean };
