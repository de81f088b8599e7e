/** `POST /v1/models/M:predict` */
export interface KserveAnswer {
  readonly kind: 'kserve';
  /** `inputs` and `outputs`, by tensor; else `instances` and `predictions`, by row. */
  readonly columnar: boolean;
}
