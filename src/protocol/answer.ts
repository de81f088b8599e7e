import type { OipAnswer } from './oip/answer.js';
import type { OwnAnswer } from './own/answer.js';

/**
 * What a protocol's parser asks of its renderer: `kind` picks the renderer, the rest is the protocol's own. Plain data,
 * which crosses to the codec thread.
 */
export type Answer = OwnAnswer | OipAnswer;
