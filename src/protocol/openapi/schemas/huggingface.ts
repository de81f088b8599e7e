import { z } from 'zod';
import { AGGREGATIONS } from '../../../codec/tasks/index.js';
import { ranks, similarities, similarityInputs, texts, truncationFields } from './tei.js';
import { entity, vector, zeroShotFields } from './texts.js';

const common = {
  top_k: z.int().min(1).nullish(),
  function_to_apply: z.enum(['sigmoid', 'softmax', 'none']).nullish(),
  aggregation_strategy: z.enum(AGGREGATIONS).nullish(),
  normalize: z.boolean().nullish(),
  dimensions: z.int().min(1).nullish(),
  ...truncationFields,
};

const zeroShot = {
  candidate_labels: zeroShotFields.candidate_labels.nullable(),
  hypothesis_template: z.string().min(1).describe('With {} where the label goes').nullish(),
  multi_label: z.boolean().nullish(),
};

export const textUnit = z.union([
  z.string(),
  z.looseObject({ text: z.string(), text_pair: z.string().nullish() }),
]);

const parameters = z
  .looseObject({ ...common, ...zeroShot })
  .describe('May stand beside inputs, too')
  .nullish();
const rankParameters = z
  .looseObject({ raw_scores: z.boolean().nullish(), return_text: z.boolean().nullish(), ...common })
  .nullish();

/** By what `inputs` is, the model is a classifier or embedder, a sentence similarity, or a reranker. */
export const hfRequest = z.union([
  z
    .looseObject({
      inputs: z.union([textUnit, z.array(textUnit).min(1)]),
      parameters,
      ...common,
      ...zeroShot,
    })
    .refine((body) => goesTogether(body.inputs, { ...body, ...body.parameters })),
  z.looseObject({ inputs: similarityInputs, parameters: z.looseObject(common).nullish(), ...common }),
  z.looseObject({
    inputs: z.looseObject({ query: z.string(), texts }),
    parameters: rankParameters,
    ...common,
  }),
]);

const goesTogether = (inputs: unknown, asked: z.infer<z.ZodObject<typeof zeroShot>>): boolean => {
  const { candidate_labels: labels, hypothesis_template: template, multi_label: multi } = asked;
  if ((labels ?? undefined) === undefined)
    return (template ?? undefined) === undefined && (multi ?? undefined) === undefined;
  if (template?.includes('{}') === false) return false;
  return [inputs].flat().every((unit) => typeof unit === 'string' || !hasPair(unit));
};

const hasPair = (unit: unknown): boolean =>
  typeof unit === 'object' && unit !== null && 'text_pair' in unit && unit.text_pair !== null;

const labels = z.array(z.object({ label: z.string(), score: z.number() })).describe('Best first');

export const hfAnswer = z.union([
  z.array(labels).describe('Labels of each text'),
  labels.describe('Labels of an image, or of a text with candidate_labels'),
  z.array(z.array(entity)).describe('Entities of each text'),
  z.array(entity).describe('Entities of a single text'),
  z.array(vector).describe('The vector of each text'),
  similarities,
  ranks,
]);
