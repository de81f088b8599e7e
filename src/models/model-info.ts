import type { Batching } from '../config/batching.js';
import type { Card } from './card.js';
import type { Signature } from './signature.js';

/** How the batch self-test says that rows may be joined; see docs/batching.md. */
export interface BatchMode {
  /** `dynamic`: any number of rows; `fixed`: chunks of `size`; `single`: one request at a time. */
  readonly mode: 'dynamic' | 'fixed' | 'single';
  readonly size?: number;
  /** Why rows are not joined; only for `single`. */
  readonly reason?: string;
}

/** What of a tokenizer reading an answer takes. */
export interface TokenizerView {
  /** `decoder` of tokenizer.json, which makes a text of tokens. */
  readonly decoder: object | null;
  /** Ids are below this. */
  readonly vocabularySize: number;
  /** Id of the unknown token. */
  readonly unknownId?: number;
  /** Pieces say whether they continue a word (WordPiece's `##`). */
  readonly wordAware: boolean;
}

/** Everything that parsing, decoding and rendering need to know of a loaded model: plain data, safe to post to a thread. */
export interface ModelInfo {
  readonly name: string;
  readonly card: Card;
  readonly signature: Signature;
  readonly batch: BatchMode;
  readonly batching: Batching;
  /** Class names by index, from the card or from config.json. */
  readonly labels?: readonly string[];
  /** True where the model takes raw texts. */
  readonly takesTexts: boolean;
  /** Of models that take raw texts. */
  readonly tokenizer?: TokenizerView;
  /** ISO 8601. */
  readonly loadedAt: string;
}
