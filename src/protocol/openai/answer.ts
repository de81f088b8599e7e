/** `POST /v1/embeddings` */
export interface OpenAiAnswer {
  readonly kind: 'openai';
  /** Vectors as base64 of little-endian float32, which is what the official clients ask for unless told otherwise. */
  readonly base64: boolean;
  readonly dimensions?: number;
}
