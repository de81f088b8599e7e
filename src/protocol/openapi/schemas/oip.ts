import { z } from 'zod';

const DATATYPES = [
  ...(['BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64'] as const),
  ...(['FP16', 'FP32', 'FP64', 'BYTES'] as const),
] as const;

const datatype = z.enum(DATATYPES);
const data = z.array(z.unknown()).describe('Flat or nested as shape says, row-major');
const count = z.int().min(0);

const input = z
  .looseObject({
    name: z.string(),
    shape: z.array(count),
    datatype,
    parameters: z
      .looseObject({ binary_data_size: count.describe('Bytes after the JSON, in place of data').optional() })
      .nullish(),
    data: data.optional(),
  })
  .refine((tensor) => (tensor.data === undefined) !== (tensor.parameters?.binary_data_size === undefined));

const output = z.looseObject({
  name: z.string(),
  parameters: z
    .looseObject({
      binary_data: z.boolean().optional(),
      classification: z.int().min(0).max(10_000).describe('The N largest as "value:index:label"').optional(),
    })
    .nullish(),
});

export const oipInferRequest = z.looseObject({
  id: z.string().nullish(),
  parameters: z
    .looseObject({
      priority: count.describe('1 = highest, 0 = default').optional(),
      timeout: count.describe('Microseconds').optional(),
      binary_data_output: z.boolean().optional(),
    })
    .nullish(),
  inputs: z.array(input),
  outputs: z.array(output).describe('None: all').nullish(),
});

export const oipInferAnswer = z.object({
  id: z.string().optional(),
  model_name: z.string(),
  model_version: z.string(),
  outputs: z.array(
    z.object({
      name: z.string(),
      datatype,
      shape: z.array(count),
      parameters: z.object({ binary_data_size: count }).optional(),
      data: data.optional(),
    }),
  ),
});

export const serverAnswer = z.object({
  name: z.string(),
  version: z.string(),
  extensions: z.array(z.string()),
});

const error = z.string().describe('Why not').optional();
export const liveAnswer = z.object({ live: z.boolean(), error });
export const readyAnswer = z.object({ ready: z.boolean(), error });
export const modelReadyAnswer = z.object({ name: z.string(), ready: z.boolean(), error });

const metadata = z.array(
  z.object({ name: z.string(), datatype, shape: z.array(z.int().min(-1)).describe('-1 where you choose') }),
);
export const metadataAnswer = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  platform: z.string(),
  inputs: metadata,
  outputs: metadata,
});

const config = z.array(z.object({ name: z.string(), data_type: z.string(), dims: z.array(z.int().min(-1)) }));
export const configAnswer = z.object({
  name: z.string(),
  platform: z.string(),
  backend: z.string(),
  max_batch_size: count.describe('Of one run; larger requests are split. 0: rows are not joined'),
  input: config,
  output: config,
  dynamic_batching: z
    .object({
      max_queue_delay_microseconds: count,
      default_queue_policy: z.object({
        timeout_action: z.literal('REJECT'),
        default_timeout_microseconds: count,
        allow_timeout_override: z.boolean(),
        max_queue_size: count,
      }),
    })
    .optional(),
});

const duration = z.object({ count, ns: count });
const compute = { compute_input: duration, compute_infer: duration, compute_output: duration };
export const statsAnswer = z.object({
  model_stats: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      last_inference: count.describe('Milliseconds since 1970; 0 = none yet'),
      inference_count: count.describe('Rows'),
      execution_count: count.describe('Runs'),
      inference_stats: z.object({
        ...{ success: duration, fail: duration, queue: duration, ...compute },
        ...{ cache_hit: duration, cache_miss: duration },
      }),
      batch_stats: z.array(z.object({ batch_size: count, ...compute })),
    }),
  ),
});

export const indexRequest = z.looseObject({
  ready: z.boolean().describe('Only those that are served').optional(),
});
export const indexAnswer = z.array(
  z.object({
    name: z.string(),
    version: z.string().optional(),
    state: z.enum(['READY', 'UNAVAILABLE', 'LOADING', 'UNLOADING']),
    reason: z.string().optional(),
  }),
);

export const repositoryRequest = z.looseObject({ parameters: z.looseObject({}).nullish() });
export const emptyAnswer = z.strictObject({});
