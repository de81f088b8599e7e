import { z } from 'zod';

const perCaller = z.int().min(0).max(1_000_000_000).default(0);

/** `limits`: what each caller may ask for; 0 = not limited. */
export const limitsSchema = z.strictObject({
  requestsPerSecond: perCaller,
  requestsPerMinute: perCaller,
  /** Texts, rows of tensors, images. */
  rowsPerMinute: perCaller,
  /** Of texts, after they are cut to the model's length. */
  tokensPerMinute: perCaller,
  /** Where several gateways count together; false: each counts in its own memory. */
  redisUrl: z
    .union([z.literal(false), z.string().regex(/^rediss?:\/\/./)])
    // There may be a password in it.
    .meta({ description: 'false or an address such as "redis://cache:6379"', secret: true })
    .default(false),
  /** While Redis can't be reached: `allow` = all pass, uncounted; `deny` = all get 429. */
  onRedisFailure: z.enum(['allow', 'deny']).default('allow'),
});

export type LimitsConfig = z.infer<typeof limitsSchema>;
