import { z } from 'zod';
import { AGGREGATIONS } from '../../../codec/tasks/index.js';

/** What any body of our own may say of its run. */
export const runFields = {
  timeoutMs: z
    .number()
    .positive()
    .max(3_600_000)
    .describe('Then 504. Default: batching.timeoutMs')
    .optional(),
  priority: z.int().min(0).max(1000).describe('1 = highest, 0 = default').optional(),
};

const windowSchema = z
  .strictObject({
    stride: z.int().min(0).describe('Tokens that windows share').nullish(),
    combine: z.enum(['max', 'mean']).optional(),
  })
  .describe('Cuts long texts into overlapping windows and makes one answer of theirs');

const labelList = z.array(z.string().min(1)).min(1);
const labelText = z
  .string()
  .refine((text) => text.split(',').every((label) => label.trim() !== ''))
  .describe('Labels with commas between');

/** `candidate_labels` and what belongs to it. */
export const zeroShotFields = {
  candidate_labels: z.union([labelList, labelText]).describe('Zero-shot: labels of your own').optional(),
  hypothesis_template: z
    .string()
    .refine((text) => text.includes('{}'))
    .describe('With {} where the label goes; only with candidate_labels')
    .optional(),
  multi_label: z
    .boolean()
    .describe('Labels do not exclude each other; only with candidate_labels')
    .optional(),
};

export const textFields = {
  texts: z.array(z.string()).min(1).optional(),
  text_pairs: z.array(z.string()).min(1).describe('One for each of texts: its second part').optional(),
  query: z.string().min(1).describe('Goes before each of texts: for rerankers').optional(),
  pairs: z.array(z.array(z.string()).length(2)).min(1).describe('In place of texts').optional(),
  truncate: z
    .boolean()
    .describe("Cut texts that are too long, else 422. Default: the model's card")
    .optional(),
  truncate_from: z.enum(['left', 'right']).optional(),
  window: windowSchema.optional(),
  scores: z.boolean().describe("Every label's score").optional(),
  top_k: z.int().min(1).describe('Scores of the best so many labels').optional(),
  return_tokens: z.boolean().optional(),
  aggregation: z.enum(AGGREGATIONS).describe('Of tokens to entities. Default: simple').optional(),
  normalize: z.boolean().describe('Embeddings of length 1').optional(),
  dimensions: z.int().min(1).describe('Only the first so many elements of embeddings').optional(),
  ...zeroShotFields,
  ...runFields,
};

type TextBody = z.infer<z.ZodObject<typeof textFields>>;

/** Which of these go together; JSON Schema would need a variant for each combination. */
export const goTogether = (body: TextBody): boolean => {
  const { texts, text_pairs: seconds, query, pairs, candidate_labels: labels } = body;
  if ((texts === undefined) === (pairs === undefined)) return false;
  if (seconds !== undefined && (query !== undefined || seconds.length !== texts?.length)) return false;
  if (pairs !== undefined && query !== undefined) return false;
  const hasPairs = pairs !== undefined || seconds !== undefined || query !== undefined;
  if (body.window !== undefined && (hasPairs || body.return_tokens === true || labels !== undefined))
    return false;
  if (labels !== undefined) return !hasPairs;
  return body.hypothesis_template === undefined && body.multi_label === undefined;
};

export const TOGETHER =
  'One of texts and pairs; text_pairs or query beside texts; window with single texts only, and not with return_tokens.';

const score = z.number().nullable().describe('null where the model gave no number');

/** transformers' spans. */
export const entity = z.object({
  entity: z.string().describe('With aggregation none').optional(),
  entity_group: z.string().optional(),
  score: z.number(),
  index: z.int().optional(),
  word: z.string(),
  start: z.int().describe('In Unicode code points'),
  end: z.int(),
});

const tokens = z.array(
  z.object({
    id: z.int(),
    token: z.string(),
    start: z.int().describe('In Unicode code points'),
    end: z.int(),
    special: z.literal(true).optional(),
    pair: z.literal(true).describe('Of the second part').optional(),
  }),
);

export const vector = z.array(z.number());

/** What a text's answer may have. */
export const prediction = z.object({
  label: z.string().optional(),
  confidence: score.optional(),
  scores: z.record(z.string(), score).optional(),
  score: score.describe('Of rerankers').optional(),
  top: z
    .array(z.object({ label: z.string(), score }))
    .describe('Of images')
    .optional(),
  truncated: z.literal(true).optional(),
  tokens: tokens.optional(),
});

/** Fields of an answer by the model's task. */
export const taskFields = {
  predictions: z.array(prediction).describe('Classifiers and rerankers').optional(),
  entities: z.array(z.array(entity)).describe('Token classifiers').optional(),
  embeddings: z.array(vector.nullable()).describe('Embedding models').optional(),
  truncated: z.array(z.boolean()).optional(),
  tokens: z.array(tokens).optional(),
};

/** One line of NDJSON. */
export const line = prediction.extend({
  index: z.int().describe('Position of the text in the request').optional(),
  entities: z.array(entity).optional(),
  embedding: vector.optional(),
  error: z.object({ code: z.string(), message: z.string(), requestId: z.string().optional() }).optional(),
});
