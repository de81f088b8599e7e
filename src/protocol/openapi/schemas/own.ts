import { z } from 'zod';
import { batchingSchema } from '../../../config/batching.js';
import { LOG_LEVELS } from '../../../telemetry/log-level.js';
import { isModelName } from '../../own/parse.js';
import { goTogether, runFields, taskFields, textFields, TOGETHER } from './texts.js';
import { teiPredictRequest } from './tei.js';

export const ownPredictRequest = z
  .strictObject({ model: z.string().min(1).describe('Default: models.default').optional(), ...textFields })
  .refine(goTogether)
  .describe(TOGETHER);

const isTei = (body: object): boolean => !('texts' in body) && !('pairs' in body);

/** Two protocols share the path. */
export const predictRequest = z
  .union([ownPredictRequest, teiPredictRequest.refine(isTei)])
  .describe("Our own has texts or pairs; text-embeddings-inference's has inputs");

export const predictAnswer = z.object(taskFields);

const outputs = z.array(z.string()).describe('Names of the outputs to answer with. Default: all').optional();

const nested = z.unknown().describe('Numbers, strings or booleans, in lists as the shape says');

export const inferRequest = z.union([
  z
    .strictObject({ inputs: z.union([z.record(z.string(), nested), nested]), outputs, ...runFields })
    .describe('Tensors: by name, or bare rows for a model with one input'),
  z
    .strictObject({ ...textFields, outputs })
    .refine(goTogether)
    .describe(TOGETHER),
  z
    .strictObject({
      images: z.array(z.string()).min(1).describe('JPEG, PNG or WebP in base64; a data URL will do'),
      top_k: z.int().min(1).describe('Default: 5').optional(),
      scores: z.boolean().describe("Every label's score").optional(),
      outputs,
      ...runFields,
    })
    .describe('Images'),
]);

export const inferAnswer = z
  .looseObject({
    model_name: z.string(),
    model_version: z.string(),
    outputs: z.record(z.string(), nested).optional(),
    ...taskFields,
    predictions: z
      .union([
        taskFields.predictions.unwrap(),
        z.array(z.int()).describe('Tabular classifiers: the class of each row'),
      ])
      .optional(),
    probabilities: z.array(z.array(z.number().nullable())).describe('Tabular classifiers').optional(),
    confidence: z
      .array(z.number().nullable())
      .describe('Tabular classifiers: of the declared class')
      .optional(),
  })
  .describe('Tabular classifiers also have the flag that the card declares, as is_fraud: a list of booleans');

export const loadRequest = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/)
    .refine(isModelName),
  path: z
    .string()
    .min(1)
    .refine((path) => !path.includes('\0'))
    .describe('Of a folder or an .onnx file below models.root'),
});

export const loadAnswer = z.object({ status: z.literal('loaded'), name: z.string(), message: z.string() });
export const unloadAnswer = z.object({
  status: z.literal('unloaded'),
  name: z.string(),
  message: z.string(),
});

const tensor = z.object({
  name: z.string(),
  dtype: z.string(),
  shape: z.array(z.union([z.int(), z.string()])).describe('Symbolic dimensions by name'),
  features: z.array(z.string()).describe('Names of the columns').optional(),
});

const difference = z.union([z.number(), z.literal('unlike')]).nullable();

const batch = z.object({
  mode: z.enum(['dynamic', 'fixed', 'single']),
  size: z.int().optional(),
  reason: z.string().optional(),
  invariance: z
    .object({
      class: z.enum(['any', 'equal-lengths', 'one-by-one']),
      enforced: z.boolean(),
      tolerance: z.number(),
      outputs: z.array(z.object({ name: z.string(), equal_lengths: difference, padded: difference })),
      runs: z.int(),
      cut_short: z.literal(true).optional(),
    })
    .optional(),
});

const cost = z.object({
  basis: z.string(),
  alpha_ms: z.number(),
  beta_ms_per_token: z.number(),
  knee_tokens: z.number(),
  quad_ms_per_token_squared: z.number(),
  error: z.number(),
  runs: z.int(),
  r: z.number().nullable(),
  slo_ms: z.number(),
  advice: z.string(),
});

const modelFields = {
  name: z.string(),
  version: z.string(),
  versions: z.array(z.string()).describe('Those loaded, of a folder with versions').optional(),
  task: z.string(),
  description: z.string().optional(),
  takes_texts: z.boolean(),
  inputs: z.array(tensor),
  outputs: z.array(tensor),
  labels: z.array(z.string()).optional(),
  text: z.object({ maxTokens: z.int(), truncate: z.boolean() }).optional(),
  loaded_at: z.iso.datetime(),
  batch,
  batching: batchingSchema,
  cost,
  circuit: z
    .enum(['closed', 'open', 'half-open'])
    .describe('open: out of service for a while, since it kept losing lanes'),
};

const entry = {
  id: z.string(),
  object: z.literal('model'),
  created: z.int().describe('Seconds since 1970'),
  owned_by: z.string(),
};

export const modelAnswer = z.object({ ...modelFields, ready: z.boolean(), ...entry });
export const modelsAnswer = z.object({
  models: z.array(z.object(modelFields)),
  object: z.literal('list'),
  data: z.array(z.object(entry)).describe("OpenAI's"),
});

export const policyAnswer = z.object({
  model: z.string(),
  policy: z.looseObject({ serve: z.unknown(), default: z.string() }).describe('As a PUT takes it'),
  default: z.string().describe('Version that answers requests that name none'),
  versions: z.array(
    z.object({
      version: z.string(),
      roles: z.array(z.enum(['default', 'split', 'shadow'])).describe('None: answers only who names it'),
      loaded_at: z.iso.datetime(),
    }),
  ),
  failed: z
    .array(z.object({ version: z.string(), code: z.string(), message: z.string() }))
    .describe('Versions whose files could not be loaded'),
  rollback_to: z.string().optional(),
});

const queued = z.looseObject({});

export const debugAnswer = z.object({
  lanes: z.array(z.string()).describe('State of each lane'),
  models: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      queue: queued,
      cost,
      batch: z.looseObject({ mode: z.string() }),
      batching: batchingSchema,
      decisions: z.array(
        z.object({
          agoMs: z.number(),
          rows: z.int(),
          tokens: z.int(),
          paddedTokens: z.int(),
          longest: z.int(),
          reason: z.string(),
          waiting: z.int(),
          queueMs: z.number(),
          predictedMs: z.number(),
          laneMs: z.number().optional(),
          waste: z.number().optional(),
          failed: z.string().optional(),
        }),
      ),
    }),
  ),
});

export const logLevelRequest = z.strictObject({
  level: z.enum(LOG_LEVELS),
  forMs: z
    .int()
    .min(1)
    .max(86_400_000)
    .describe('Then back to the configured level. Default: it stays')
    .optional(),
});

export const logLevelAnswer = z.object({
  level: z.string(),
  configured: z.string().describe('What it returns to'),
  returnsInMs: z.int().describe('Absent where it stays').optional(),
});
