import type { HfAnswer } from './huggingface/answer.js';
import type { KserveAnswer } from './kserve/answer.js';
import type { OipAnswer } from './oip/answer.js';
import type { OpenAiAnswer } from './openai/answer.js';
import type { OwnAnswer } from './own/answer.js';
import type { TeiAnswer } from './tei/answer.js';

/**
 * What a protocol's parser asks of its renderer: `kind` picks the renderer, the rest is the protocol's own. Plain data,
 * which crosses to the codec thread.
 */
export type Answer = OwnAnswer | OipAnswer | TeiAnswer | OpenAiAnswer | HfAnswer | KserveAnswer;
