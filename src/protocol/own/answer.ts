export type OwnAnswer = PredictAnswer | InferAnswer;

/** `POST /predict` */
export interface PredictAnswer {
  readonly kind: 'predict';
  /** Every label's score beside the best one. */
  readonly scores: boolean;
}

/** `POST /v1/models/M/infer` */
export interface InferAnswer {
  readonly kind: 'infer';
}
