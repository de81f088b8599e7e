import type { Aggregation, ZeroShot } from '../../codec/tasks/index.js';

/** What a request in the words of the Hugging Face Inference API asks for; the rest depends on the model's task. */
export interface HfAnswer {
  readonly kind: 'hf';
  /** One input, which was not in a list. */
  readonly single: boolean;
  /** `{source_sentence, sentences}`: cosines of the first to the others. */
  readonly similarity?: boolean;
  /** `{query, texts}`: the texts, best first. */
  readonly ranks?: {
    readonly raw: boolean;
    /** Where they are to be returned. */
    readonly texts?: readonly string[];
  };
  readonly zeroShot?: ZeroShot;
  readonly topK?: number;
  /** Default: the card's. */
  readonly apply?: 'sigmoid' | 'softmax' | 'none';
  readonly aggregation?: Aggregation;
  readonly normalize?: boolean;
  readonly dimensions?: number;
}
