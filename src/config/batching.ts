import { z } from 'zod';

/** The batching knobs, used in config.yaml (`batching`, `models.<name>.batching`) and in a model's card. */
export const batchingSchema = z.strictObject({
  /** Most rows of one run. */
  maxBatch: z.int().min(1).max(65_536).default(64),
  /** Longest time that the oldest waiting item is held back for company while a lane is idle. 0 = never hold. */
  maxWaitMs: z.number().min(0).max(60_000).default(0),
  /** Most tokens of one run, padding included (rows x longest text). Rows of fixed shape count 1 each. */
  maxBatchTokens: z.int().min(1).default(512),
  /** Most rows waiting per model; a request that does not fit whole gets 429. */
  maxQueue: z.int().min(1).default(16_384),
  /** Time a request may take when it does not say `timeoutMs` itself; then it gets 504. */
  timeoutMs: z.number().positive().max(3_600_000).default(30_000),
});

/** The same keys, none of them required and none defaulted. */
export const batchingOverrides = z.strictObject({
  maxBatch: batchingSchema.shape.maxBatch.unwrap().exactOptional(),
  maxWaitMs: batchingSchema.shape.maxWaitMs.unwrap().exactOptional(),
  maxBatchTokens: batchingSchema.shape.maxBatchTokens.unwrap().exactOptional(),
  maxQueue: batchingSchema.shape.maxQueue.unwrap().exactOptional(),
  timeoutMs: batchingSchema.shape.timeoutMs.unwrap().exactOptional(),
});

export type Batching = z.infer<typeof batchingSchema>;
export type BatchingOverrides = z.infer<typeof batchingOverrides>;
