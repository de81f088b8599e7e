import { z } from 'zod';
import { textsOrIds } from './tei.js';
import { vector } from './texts.js';

export const embeddingsRequest = z.looseObject({
  input: textsOrIds,
  model: z.string().describe('Default: the only embedding model').nullish(),
  encoding_format: z.enum(['float', 'base64']).describe('base64: of little-endian float32').nullish(),
  dimensions: z.int().min(1).nullish(),
});

export const embeddingsAnswer = z.object({
  object: z.literal('list'),
  data: z.array(
    z.object({
      object: z.literal('embedding'),
      index: z.int(),
      embedding: z.union([vector, z.string()]).describe('Of length 1'),
    }),
  ),
  model: z.string(),
  usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
});
