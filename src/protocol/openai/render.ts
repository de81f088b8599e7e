import { endianness } from 'node:os';
import { embeddingsOf } from '../../codec/tasks/index.js';
import type { InferResult } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import { vectorJson } from '../common/scores-json.js';
import type { OpenAiAnswer } from './answer.js';

/**
 * Answer of `POST /v1/embeddings`; vectors have length 1, as OpenAI's.
 * @throws CarpoolError INVALID_REQUEST for more `dimensions` than there are, EXECUTION_FAILED for odd outputs
 */
export const renderOpenAi = (
  info: ModelInfo,
  { base64, dimensions }: OpenAiAnswer,
  result: InferResult,
): string => {
  const options = { normalize: true, ...(dimensions === undefined ? {} : { dimensions }) };
  const data = embeddingsOf(info, result, options).map((vector, index) => {
    const embedding = base64 ? `"${base64Of(vector)}"` : vectorJson(vector);
    return `{"object":"embedding","index":${index},"embedding":${embedding}}`;
  });
  const tokens = (result.texts ?? []).reduce((sum, text) => sum + text.tokens, 0);
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  return `{"object":"list","data":[${data.join(',')}],"model":${JSON.stringify(info.name)},"usage":${JSON.stringify(usage)}}`;
};

const base64Of = ({ buffer, byteOffset, byteLength }: Float32Array): string => {
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  return (endianness() === 'LE' ? bytes : Buffer.from(bytes).swap32()).toString('base64');
};
