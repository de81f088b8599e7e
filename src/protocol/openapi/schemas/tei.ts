import { z } from 'zod';
import { vector } from './texts.js';

const flag = z.boolean().nullish();
const DIRECTIONS = ['right', 'left', 'Right', 'Left'] as const;

export const truncationFields = {
  truncate: flag.describe("Cut texts that are too long, else 422. Default: the model's card"),
  truncation_direction: z.enum(DIRECTIONS).nullish(),
  prompt_name: z.null().describe('Prompts are not known here').optional(),
};

/** Keys that every body may have; others are ignored. */
const common = {
  model: z.string().min(1).describe('Needed where several models fit').nullish(),
  raw_scores: flag.describe('Logits as they are'),
  ...truncationFields,
};

const ids = z
  .array(
    z
      .int()
      .min(0)
      .max(2 ** 31 - 1),
  )
  .min(1);
export const texts = z.array(z.string()).min(1);

/** A text, texts, the ids of one, or of several. */
export const textsOrIds = z.union([z.string(), texts, ids, z.array(ids).min(1)]);

const unit = z.array(z.string()).min(1).max(2);

export const teiPredictRequest = z.looseObject({
  inputs: z
    .union([z.string(), unit, z.array(unit).min(1)])
    .describe('"a": one text. ["a", "b"]: one pair. [["a"], ["b", "c"]]: a text and a pair'),
  ...common,
});

const labels = z.array(z.object({ label: z.string(), score: z.number() }));
export const teiPredictAnswer = z
  .union([labels, z.array(labels)])
  .describe('Best first; a list for each of a batch');

export const embedRequest = z.looseObject({
  inputs: textsOrIds,
  normalize: flag.describe('Default: true'),
  dimensions: z.int().min(1).nullish(),
  ...common,
});
export const embedAnswer = z.array(vector);

export const embedAllRequest = z.looseObject({ inputs: textsOrIds, ...common });
export const embedAllAnswer = z.array(z.array(vector)).describe('A vector for every token');

export const rerankRequest = z.looseObject({ query: z.string(), texts, return_text: flag, ...common });
export const ranks = z
  .array(z.object({ index: z.int(), text: z.string().optional(), score: z.number() }))
  .describe('Highest first');

export const similarityInputs = z.looseObject({ source_sentence: z.string(), sentences: texts });
export const similarityRequest = z.looseObject({
  inputs: similarityInputs,
  parameters: z.looseObject(truncationFields).nullish(),
  ...common,
});
export const similarities = z.array(z.number()).describe('Cosines');

export const tokenizeRequest = z.looseObject({
  inputs: z.union([z.string(), texts]),
  add_special_tokens: flag.describe('Default: true'),
  ...common,
});
const place = z.int().nullable().describe("In bytes of the text's UTF-8");
export const tokenizeAnswer = z.array(
  z.array(z.object({ id: z.int(), text: z.string(), special: z.boolean(), start: place, stop: place })),
);

export const decodeRequest = z.looseObject({
  ids: z.union([ids, z.array(ids).min(1)]),
  skip_special_tokens: flag.describe('Default: true'),
  ...common,
});
export const decodeAnswer = texts;

const labelMaps = z.object({
  id2label: z.record(z.string(), z.string()),
  label2id: z.record(z.string(), z.int()),
});

export const infoAnswer = z.object({
  model_id: z.string(),
  model_sha: z.string().nullable(),
  model_dtype: z.string(),
  served_model_name: z.string(),
  model_type: z.union([
    z.object({ classifier: labelMaps }),
    z.object({ reranker: labelMaps }),
    z.object({ embedding: z.object({ pooling: z.string() }) }),
  ]),
  max_concurrent_requests: z.int(),
  max_input_length: z.int(),
  max_batch_tokens: z.int(),
  max_batch_requests: z.int(),
  max_client_batch_size: z.int(),
  auto_truncate: z.boolean(),
  tokenization_workers: z.int(),
  version: z.string(),
  sha: z.null(),
  docker_label: z.null(),
});
