import { versionsSchema, type VersionsConfig } from '../../config/versions.js';

/** `models.<name>.versions`, with versions as strings and every default filled in. */
export interface VersionPolicy {
  readonly serve: 'latest' | 'all' | readonly string[];
  /** A version, or `latest`. */
  readonly default: string;
  /** Part of the callers by version, the oldest version first. */
  readonly split: ReadonlyMap<string, number>;
  readonly shadow: ShadowPolicy | undefined;
  readonly keepPrevious: boolean;
}

export interface ShadowPolicy {
  readonly version: string;
  /** Part of the requests, 0 to 1. */
  readonly share: number;
  readonly tolerance: number;
}

export const policyOf = (config: VersionsConfig): VersionPolicy => ({
  serve: typeof config.serve === 'string' ? config.serve : config.serve.map(String),
  default: String(config.default),
  split: new Map(Object.entries(config.split).sort(([a], [b]) => Number(a) - Number(b))),
  shadow: config.shadow === undefined ? undefined : shadowOf(config.shadow),
  keepPrevious: config.keepPrevious,
});

export const usualPolicy = (): VersionPolicy => policyOf(versionsSchema.parse({}));

const shadowOf = (shadow: NonNullable<VersionsConfig['shadow']>): ShadowPolicy => {
  const whole = typeof shadow === 'object' ? shadow : { version: shadow, share: 1, tolerance: 1e-4 };
  return { ...whole, version: String(whole.version) };
};

/** As it would stand in config.yaml: what a PUT takes and a GET shows. */
export const policyView = ({
  serve,
  default: usual,
  split,
  shadow,
  keepPrevious,
}: VersionPolicy): object => ({
  serve,
  default: usual,
  split: Object.fromEntries(split),
  ...(shadow === undefined ? {} : { shadow }),
  keepPrevious,
});

/** The old one itself where the new one says the same: that is no change, and nothing to roll back. */
export const policyAfter = (
  old: VersionPolicy | undefined,
  next: VersionPolicy | undefined,
): VersionPolicy | undefined => {
  if (old === undefined || next === undefined) return next ?? old;
  return JSON.stringify(policyView(old)) === JSON.stringify(policyView(next)) ? old : next;
};

/** Those that it names, beside the default one. */
export const namedBeside = ({ split, shadow }: VersionPolicy): readonly string[] => [
  ...split.keys(),
  ...(shadow === undefined ? [] : [shadow.version]),
];

/** Versions that may be the default one, the best first; `there`: those in the folder or, for a moment, loaded. */
export const defaultsOf = (policy: VersionPolicy, there: readonly string[]): readonly string[] => {
  if (policy.default !== 'latest') return [policy.default];
  const served = typeof policy.serve === 'string' ? there : there.filter((v) => policy.serve.includes(v));
  const newestFirst = [...served].sort((a, b) => Number(b) - Number(a));
  const beside = namedBeside(policy);
  const free = newestFirst.filter((version) => !beside.includes(version));
  // A canary that is alone is no canary.
  return free.length > 0 ? free : newestFirst;
};

/** All that should be loaded, the default one left out. */
export const besideDefault = (policy: VersionPolicy, there: readonly string[]): readonly string[] => {
  const { serve } = policy;
  const served = serve === 'latest' ? [] : serve === 'all' ? there : serve;
  return [...new Set([...served, ...namedBeside(policy)])];
};
