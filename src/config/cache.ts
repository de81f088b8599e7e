import { z } from 'zod';

const ttlMs = z.number().min(1).max(2_592_000_000);

const isRedisUrl = (text: string): boolean =>
  text === '' || (URL.canParse(text) && ['redis:', 'rediss:'].includes(new URL(text).protocol));

/** Where answers are kept beside the process, so that replicas share them and a restart does not lose them. */
const redisSchema = z.strictObject({
  /** `redis://[user:password@]host:port[/db]`, `rediss://` for TLS; '' = none. */
  url: z
    .string()
    .refine(isRedisUrl)
    // There may be a password in it.
    .meta({
      description: 'a URL such as "redis://cache.example.com:6379" (or rediss://), or "" for none',
      secret: true,
    })
    .default(''),
  /** Longest that a request waits for Redis; then it goes on as if nothing had been found. */
  timeoutMs: z.number().min(1).max(60_000).default(20),
  /** In front of every key. */
  keyPrefix: z.string().max(128).default('carpool:'),
});

/** The response cache: `cache` in config.yaml. */
export const cacheSchema = z.strictObject({
  /** For every model that does not say otherwise. */
  enabled: z.boolean().default(false),
  /** Memory for answers, of all models together; those unused for longest go first. */
  maxBytes: z
    .int()
    .min(1024)
    .max(2 ** 40)
    .default(64 * 1024 * 1024),
  /** Age at which an answer is forgotten. */
  ttlMs: ttlMs.default(300_000),
  redis: redisSchema.prefault({}),
});

/** `models.<name>.cache` */
export const cacheOverrides = z.strictObject({
  enabled: z.boolean().exactOptional(),
  ttlMs: ttlMs.exactOptional(),
});
