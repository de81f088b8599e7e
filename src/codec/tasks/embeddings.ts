import { CarpoolError } from '../../errors.js';
import { pool } from '../../executor/pooling.js';
import type { InferResult } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import type { Tensor } from '../../tensor.js';
import { numbersOf, outputAt } from './outputs.js';

export interface EmbeddingOptions {
  /** To length 1. Default: the card's. */
  readonly normalize?: boolean;
  /** Only the first so many elements (Matryoshka), normalised after the cut. */
  readonly dimensions?: number;
}

/** In the order of preference where the card names none. */
const USUAL_OUTPUTS: readonly string[] = ['sentence_embedding', 'last_hidden_state', 'token_embeddings'];

/** Position of the output that the embeddings are made of. */
export const embeddingOutput = ({ card, signature }: Pick<ModelInfo, 'card' | 'signature'>): number => {
  const { output } = card.embedding;
  const wanted = output === undefined ? USUAL_OUTPUTS : [output];
  const found = wanted.map((name) => signature.outputs.findIndex((spec) => spec.name === name));
  return found.find((index) => index >= 0) ?? 0;
};

/**
 * One vector a text, float32, pooled over the text's own tokens. Windows of one text are left apart.
 * @throws CarpoolError INVALID_REQUEST for more `dimensions` than there are, EXECUTION_FAILED for odd outputs
 */
export const embeddingsOf = (
  info: ModelInfo,
  { items, texts }: InferResult,
  { normalize = info.card.embedding.normalize, dimensions }: EmbeddingOptions = {},
): Float32Array[] => {
  const index = embeddingOutput(info);
  return items.map((item, i) => {
    const whole = vectorOf(info, outputAt(info, item, index), texts?.[i]?.tokens);
    if (dimensions !== undefined && dimensions > whole.length)
      throw new CarpoolError(
        'INVALID_REQUEST',
        `dimensions: expected at most ${whole.length}, as many as ${info.name} gives, got ${dimensions}`,
      );
    const vector = dimensions === undefined ? whole : whole.slice(0, dimensions);
    return normalize ? normalized(vector) : vector;
  });
};

/** To Euclidean length 1, in place; zeros stay. */
export const normalized = (vector: Float32Array): Float32Array => {
  let sum = 0;
  for (const value of vector) sum += value * value;
  // As torch's normalize: never divided by less than 1e-12.
  const length = Math.max(Math.sqrt(sum), 1e-12);
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) / length;
  return vector;
};

const vectorOf = (info: ModelInfo, tensor: Tensor, tokens: number | undefined): Float32Array => {
  const [rows, second, size] = tensor.dims;
  if (rows === 1 && second !== undefined && tensor.dims.length === 2)
    return Float32Array.from(numbersOf(tensor));
  if (rows !== 1 || second === undefined || size === undefined || tensor.dims.length > 3)
    throw new CarpoolError(
      'EXECUTION_FAILED',
      `${info.name}: expected an embedding [1, size] or [1, tokens, size], got [${tensor.dims.join(',')}]`,
    );
  // The rest is padding to the length of the batch.
  const own = Math.min(second, tokens ?? second);
  return pool(numbersOf(tensor), own, size, info.card.embedding.pooling);
};
