/** `POST /v2/models/M/infer`: what the request asks of its answer. */
export interface OipAnswer {
  readonly kind: 'oip';
  /** Echoed. */
  readonly id?: string;
  readonly outputs: readonly OutputAsk[];
}

export interface OutputAsk {
  readonly name: string;
  /** Position among the model's outputs. */
  readonly index: number;
  /** Raw bytes behind the JSON in place of `data`. */
  readonly binary: boolean;
  /** In place of the values their N largest of each row, as strings `"<value>:<index>[:<label>]"`. */
  readonly classes?: number;
  /** For the renderer: bytes of this output that follow the JSON. */
  readonly binaryBytes?: number;
}
