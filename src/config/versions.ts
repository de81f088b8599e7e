import { z } from 'zod';

/** A numeric folder below the model's own. */
const VERSION = /^(?:0|[1-9]\d{0,14})$/;
const said = 'a version: the number of a folder, such as 3';

/** YAML makes numbers of them, JSON strings: both are taken. */
const version = z.union([z.string().regex(VERSION), z.int().min(0)]).meta({ description: said });
const latest = z.literal('latest');
const share = z.number().min(0).max(1);

export const isVersion = (name: string): boolean => VERSION.test(name);

/** Which versions of a model are loaded, and whose requests each of them gets: see docs/versions.md. */
export const versionsSchema = z.strictObject({
  /** Versions that are loaded, beside those that the other keys name. `latest`: the default one alone. */
  serve: z
    .union([z.enum(['latest', 'all']), z.array(version).min(1)])
    .meta({ description: '"latest", "all" or a list of versions' })
    .default('latest'),
  /** Answers requests that name no version. `latest`: the newest that neither `split` nor `shadow` names. */
  default: z
    .union([latest, version])
    .meta({ description: `"latest" or ${said}` })
    .default('latest'),
  /** Version -> part of the callers that it answers, in place of the default one: `{3: 0.05}`. */
  split: z
    .record(z.string().regex(VERSION), share)
    .refine((parts) => Object.values(parts).reduce((sum, part) => sum + part, 0) <= 1)
    .meta({
      description: 'versions with the part of the callers that each gets, together at most 1: {3: 0.05}',
    })
    .default({}),
  /** Gets copies of the default version's requests; its answers are compared, never sent. */
  shadow: z
    .union([
      version,
      z.strictObject({
        version,
        /** Part of the requests that is copied. */
        share: share.default(1),
        /** Largest difference that counts as equal, absolute below 1, relative above. */
        tolerance: z.number().positive().default(1e-4),
      }),
    ])
    .meta({ description: `${said}, or {version, share, tolerance}` })
    .exactOptional(),
  /** What served before the last change stays loaded, so that a rollback is instant. */
  keepPrevious: z.boolean().default(true),
});

export type VersionsConfig = z.infer<typeof versionsSchema>;
