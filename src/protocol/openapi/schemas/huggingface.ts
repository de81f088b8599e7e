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

const ranking = { raw_scores: z.boolean().nullish(), return_text: z.boolean().nullish(), ...common };

const BESIDE = 'They may stand beside inputs, too';
const nothing = z.null().optional();

/** By what `inputs` is, the model is a classifier or embedder, a sentence similarity, or a reranker. */
export const hfRequest = z.union([
  z
    .looseObject({
      inputs: z.union([textUnit, z.array(textUnit).min(1)]),
      parameters: z
        .looseObject({ ...common, ...zeroShot })
        .describe(BESIDE)
        .nullish(),
      ...common,
      ...zeroShot,
    })
    .refine((body) => goesTogether(body)),
  z.looseObject({ inputs: similarityInputs, parameters: z.looseObject(common).nullish(), ...common }),
  z
    .looseObject({
      ...similarityInputs.shape,
      inputs: nothing,
      query: nothing,
      parameters: z.looseObject(common).nullish(),
      ...common,
    })
    .describe('The same without inputs'),
  z.looseObject({
    inputs: z.looseObject({ query: z.string(), texts }),
    parameters: z.looseObject(ranking).nullish(),
    ...ranking,
  }),
  z
    .looseObject({
      ...{ query: z.string(), texts, inputs: nothing },
      parameters: z.looseObject(ranking).nullish(),
      ...ranking,
    })
    .describe('The same without inputs'),
]);

interface Asked {
  readonly inputs: unknown;
  readonly parameters?: Readonly<Record<string, unknown>> | null | undefined;
  readonly [key: string]: unknown;
}

const goesTogether = (body: Asked): boolean => {
  const asked = (key: string): unknown => body.parameters?.[key] ?? body[key] ?? undefined;
  const template = asked('hypothesis_template');
  if (asked('candidate_labels') === undefined)
    return template === undefined && asked('multi_label') === undefined;
  if (typeof template === 'string' && !template.includes('{}')) return false;
  // Ignored elsewhere: these labels are read by the parser of our own protocol.
  if (asked('window') !== undefined) return false;
  return [body.inputs].flat().every((unit) => typeof unit === 'string' || !hasPair(unit));
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
