import { z } from 'zod';

/** The batching knobs, used in config.yaml (`batching`, `models.<name>.batching`) and in a model's card. */
export const batchingSchema = z.strictObject({
  /** Most rows of one run. */
  maxBatch: z.int().min(1).max(65_536).default(64),
  /** Longest time that the oldest waiting item is held back for company while a lane is idle. 0 = never hold. */
  maxWaitMs: z.number().min(0).max(60_000).default(0),
  /**
   * Longest time that items are held back, on the last idle lane, for callers who were just answered and are about to ask
   * again. 0 = never. Beyond 50 ms nobody is waited for.
   */
  echoHoldMs: z.number().min(0).max(50).default(0),
  /** Most tokens of one run, padding included (rows x longest text). Rows of fixed shape count 1 each. */
  maxBatchTokens: z.int().min(1).default(16_384),
  /** `cost`: batches are composed by what runs cost; `fifo`: first come, first served; `off`: every item alone. */
  composition: z.enum(['cost', 'fifo', 'off']).default('cost'),
  /** Time in which an answer is wanted; no batch may take more than half of it. `auto`: ten runs of a long item. */
  sloMs: z.union([z.literal('auto'), z.number().positive().max(3_600_000)]).default('auto'),
  /** Refuse at the door, and drop before they run, requests that are predicted to miss their deadline. */
  shedding: z.boolean().default(true),
  /** Equal inputs that wait or run at the same time ride once and share the answer. */
  singleFlight: z.boolean().default(true),
  /**
   * Models whose rows change each other's answers: `enforce` joins only the rows that do not, `warn` joins them all the
   * same and says so, `off` does not look.
   */
  batchInvariance: z.enum(['enforce', 'warn', 'off']).default('enforce'),
  /** When the cost of runs is measured: `idle` after ready, `eager` before it, `off` from traffic alone. */
  calibrate: z.enum(['idle', 'eager', 'off']).default('idle'),
  /** Lane time that measuring may take. */
  calibrateBudgetMs: z.number().min(0).max(600_000).default(2_000),
  /** Most rows waiting per model; a request that does not fit whole gets 429. */
  maxQueue: z.int().min(1).default(16_384),
  /** Time a request may take when it does not say `timeoutMs` itself; then it gets 504. */
  timeoutMs: z.number().positive().max(3_600_000).default(30_000),
});

/** The same keys, none of them required and none defaulted. */
export const batchingOverrides = z.strictObject({
  maxBatch: batchingSchema.shape.maxBatch.unwrap().exactOptional(),
  maxWaitMs: batchingSchema.shape.maxWaitMs.unwrap().exactOptional(),
  echoHoldMs: batchingSchema.shape.echoHoldMs.unwrap().exactOptional(),
  maxBatchTokens: batchingSchema.shape.maxBatchTokens.unwrap().exactOptional(),
  composition: batchingSchema.shape.composition.unwrap().exactOptional(),
  sloMs: batchingSchema.shape.sloMs.unwrap().exactOptional(),
  shedding: batchingSchema.shape.shedding.unwrap().exactOptional(),
  singleFlight: batchingSchema.shape.singleFlight.unwrap().exactOptional(),
  batchInvariance: batchingSchema.shape.batchInvariance.unwrap().exactOptional(),
  calibrate: batchingSchema.shape.calibrate.unwrap().exactOptional(),
  calibrateBudgetMs: batchingSchema.shape.calibrateBudgetMs.unwrap().exactOptional(),
  maxQueue: batchingSchema.shape.maxQueue.unwrap().exactOptional(),
  timeoutMs: batchingSchema.shape.timeoutMs.unwrap().exactOptional(),
});

export type Batching = z.infer<typeof batchingSchema>;
export type BatchingOverrides = z.infer<typeof batchingOverrides>;
