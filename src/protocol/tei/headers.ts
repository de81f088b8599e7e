import type { OutgoingHttpHeaders } from 'node:http';
import type { InferResult } from '../../infer.js';

/** Whole milliseconds, as TEI sends them; of several texts the longest wait and the longest run. */
export const teiHeaders = (
  characters: number,
  { texts = [], timings }: InferResult,
  elapsedMs: number,
): OutgoingHttpHeaders => {
  const total = Math.floor(elapsedMs);
  return {
    'x-compute-type': 'cpu+optimized',
    'x-compute-time': total,
    'x-compute-characters': characters,
    'x-compute-tokens': texts.reduce((sum, { tokens }) => sum + tokens, 0),
    'x-total-time': total,
    'x-tokenization-time': Math.floor(timings.encodeMs),
    'x-queue-time': Math.floor(timings.queueMs),
    'x-inference-time': Math.floor(timings.runMs),
  };
};
