import type { Batching } from '../config/batching.js';
import type { Card } from './card.js';
import type { Signature } from './signature.js';

/** How the batch self-test says that rows may be joined; see docs/batching.md. */
export interface BatchMode {
  /** `dynamic`: any number of rows; `fixed`: chunks of `size`; `single`: one request at a time. */
  readonly mode: 'dynamic' | 'fixed' | 'single';
  readonly size?: number;
  /** Why rows are not joined, or not freely (see `invariance`), or should not be; absent where nothing is in the way. */
  readonly reason?: string;
  /** Absent where rows can't be joined at all, and where it was not measured (`batchInvariance: off`). */
  readonly invariance?: Invariance;
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

/**
 * Which rows a row may ride with and be answered as if alone: `any`; those of `equal-lengths`, but not longer or shorter
 * ones (padding leaks); none (`one-by-one`).
 */
export type InvarianceClass = 'any' | 'equal-lengths' | 'one-by-one';

/** What the test of batch invariance found. */
export interface Invariance {
  readonly class: InvarianceClass;
  /** Is the class acted upon? false: rows are joined all the same (`batchInvariance: warn`). */
  readonly enforced: boolean;
  /** Largest difference that counts as equal; see Difference. */
  readonly tolerance: number;
  /** Runs that it took. */
  readonly runs: number;
  /** The time for it was over before all was tried. */
  readonly cutShort?: boolean;
  readonly outputs: readonly {
    readonly name: string;
    /** Beside rows of equal length. */
    readonly equalLengths: Difference;
    /** Beside longer and shorter ones; tensors are never padded. */
    readonly padded: Difference;
  }[];
}

/**
 * Largest difference between a row's output in a batch and alone: absolute below 1, relative above. `unlike`: values that
 * have no distance (integers, strings, NaN) differ, or the batch failed. null: not tried.
 */
export type Difference = number | 'unlike' | null;

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
  /** Tokens that every text is filled up to, where the file fixes them; absent = the longest of its batch. */
  readonly textLength?: number;
  /** ISO 8601. */
  readonly loadedAt: string;
}
