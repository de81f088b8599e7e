import path from 'node:path';
import { accessMisfits } from './access.js';
import { ConfigError, shorten, type Problem } from './config-error.js';
import { explain, problemOf, type Locate } from './explain.js';
import { isRecord } from './key-path.js';
import { nearest } from './nearest.js';
import {
  configSchema,
  modelOverridesSchema,
  modelsSchema,
  type Config,
  type ModelOverrides,
} from './schema.js';
import type { TlsConfig } from './wall.js';

const FIXED_MODEL_KEYS: readonly string[] = Object.keys(modelsSchema.shape);
const SECTIONS: readonly string[] = Object.keys(configSchema.shape);

/** Keys that hold `undefined` are as good as absent; left in, they would hide defaults when settings are merged. */
const withoutUndefined = (value: unknown): unknown =>
  isRecord(value)
    ? Object.fromEntries(
        Object.entries(value)
          .filter(([, entry]) => entry !== undefined)
          .map(([key, entry]) => [key, withoutUndefined(entry)]),
      )
    : value;

/** `server:` with every line below it commented out is null in YAML, and means the section's defaults. */
const emptySectionsFilled = (raw: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(raw).map(([key, value]) => [key, value === null && SECTIONS.includes(key) ? {} : value]),
  );

const splitModels = (models: unknown): { fixed: unknown; named: [string, unknown][] } => {
  if (!isRecord(models)) return { fixed: models, named: [] };
  const isFixed = ([key]: [string, unknown]): boolean => FIXED_MODEL_KEYS.includes(key);
  const entries = Object.entries(models);
  return {
    fixed: Object.fromEntries(entries.filter(isFixed)),
    named: entries.filter((entry) => !isFixed(entry)),
  };
};

const checkOverrides = (
  named: readonly [string, unknown][],
  locate: Locate,
): { overrides: Map<string, ModelOverrides>; problems: Problem[] } => {
  const overrides = new Map<string, ModelOverrides>();
  const problems: Problem[] = [];
  for (const [name, value] of named) {
    const at = ['models', name];
    const raw = value ?? {};
    const result = modelOverridesSchema.safeParse(raw);
    if (result.success) {
      overrides.set(name, result.data);
    } else if (isRecord(raw)) {
      problems.push(
        ...explain({ schema: modelOverridesSchema, raw, issues: result.error.issues, at, locate }),
      );
    } else {
      // Most likely no model at all, but one of the fixed keys misspelt.
      const fixed = nearest(name, FIXED_MODEL_KEYS);
      const expected = `the settings of a model named ${shorten(name)}, an object with keys of batching`;
      const meant = fixed === undefined ? undefined : `models.${fixed}`;
      problems.push(problemOf(at, { expected, got: shorten(raw), nearest: meant }, locate));
    }
  }
  return { overrides, problems };
};

/** `resolveConfig` for settings that were written somewhere: problems say where. */
export const resolveLocated = (input: unknown, baseDir: string, locate: Locate): Config => {
  const whole = withoutUndefined(input);
  if (!isRecord(whole)) {
    const expected = `an object with keys of ${SECTIONS.join(', ')}`;
    throw new ConfigError([problemOf([], { expected, got: shorten(whole) }, locate)]);
  }
  const sections = emptySectionsFilled(whole);
  const { fixed, named } = splitModels(sections['models']);
  const raw = Object.hasOwn(sections, 'models') ? { ...sections, models: fixed } : sections;
  const result = configSchema.safeParse(raw);
  const { overrides, problems } = checkOverrides(named, locate);
  if (!result.success)
    problems.unshift(...explain({ schema: configSchema, raw, issues: result.error.issues, at: [], locate }));
  if (result.success && result.data.access !== undefined)
    for (const { keys, ...findings } of accessMisfits(result.data.access))
      problems.push(problemOf(['access', ...keys], findings, locate));
  if (!result.success || problems.length > 0) throw new ConfigError(problems);
  const { models, server, grpc, ...rest } = result.data;
  const absolute = path.resolve(baseDir);
  return {
    ...rest,
    server: { ...server, tls: absoluteTls(server.tls, absolute) },
    grpc: { ...grpc, tls: absoluteTls(grpc.tls, absolute) },
    baseDir: absolute,
    models: {
      ...models,
      root: path.resolve(absolute, models.root),
      cacheDir: path.resolve(absolute, models.cacheDir),
      load: models.load === '*' ? '*' : [...new Set(models.load)],
      overrides,
    },
  };
};

const absoluteTls = (tls: TlsConfig | false, baseDir: string): TlsConfig | false =>
  tls !== false && {
    ...tls,
    certFile: path.resolve(baseDir, tls.certFile),
    keyFile: path.resolve(baseDir, tls.keyFile),
    ...(tls.caFile === undefined ? {} : { caFile: path.resolve(baseDir, tls.caFile) }),
  };

/**
 * Checks settings and fills in every default: `resolveConfig({}, dir)` is a whole configuration.
 *
 * @param input a `ConfigInput`; unknown, because it comes from files and from callers without types.
 * @param baseDir folder that `models.root` is relative to.
 * @throws ConfigError listing everything that is wrong.
 */
export const resolveConfig = (input: unknown, baseDir: string): Config =>
  resolveLocated(input, baseDir, () => undefined);
