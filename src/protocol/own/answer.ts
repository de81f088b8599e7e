import type { Aggregation, ZeroShot } from '../../codec/tasks/index.js';

export type OwnAnswer = PredictAnswer | InferAnswer | LineAnswer;

/** What a request wants to know of its texts; which of these mean something depends on the model's task. */
export interface TextAnswer {
  /** Every label's score beside the best one. */
  readonly scores?: boolean;
  /** Only the best so many labels, best first. */
  readonly topK?: number;
  /** The tokens of each text. */
  readonly tokens?: boolean;
  /** Labels of the request's own. */
  readonly zeroShot?: ZeroShot;
  readonly aggregation?: Aggregation;
  readonly normalize?: boolean;
  readonly dimensions?: number;
  /** How the scores of a text's windows become one. Default `max`. */
  readonly combine?: 'max' | 'mean';
}

/** `POST /predict` */
export interface PredictAnswer extends TextAnswer {
  readonly kind: 'predict';
}

/** `POST /v1/models/M/infer` */
export interface InferAnswer extends TextAnswer {
  readonly kind: 'infer';
  /** The answer is of images, not of their tensors. */
  readonly images?: boolean;
}

/** One text of either, as a line of NDJSON. */
export interface LineAnswer extends TextAnswer {
  readonly kind: 'line';
  /** Its position in the request. */
  readonly index: number;
}
