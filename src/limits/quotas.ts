import type { LimitsConfig } from '../config/limits.js';

export type Unit = 'requests' | 'rows' | 'tokens';

/** So much of something per caller and window. Windows are fixed: one begins with its caller's first use of it. */
export interface Quota {
  /** Names it in headers and, with underscores, in metrics. */
  readonly name: string;
  readonly unit: Unit;
  readonly points: number;
  readonly windowSeconds: number;
}

/** What a caller has left of a quota. */
export interface QuotaState {
  readonly quota: Quota;
  readonly remaining: number;
  /** Whole seconds, rounded up, until its window ends. */
  readonly resetSeconds: number;
}

/** Those that are set; 0 = not limited. */
export const quotasOf = (config: LimitsConfig): readonly Quota[] => {
  const { requestsPerSecond, requestsPerMinute, rowsPerMinute, tokensPerMinute } = config;
  const all: readonly Quota[] = [
    { name: 'requests-per-second', unit: 'requests', points: requestsPerSecond, windowSeconds: 1 },
    { name: 'requests-per-minute', unit: 'requests', points: requestsPerMinute, windowSeconds: 60 },
    { name: 'rows-per-minute', unit: 'rows', points: rowsPerMinute, windowSeconds: 60 },
    { name: 'tokens-per-minute', unit: 'tokens', points: tokensPerMinute, windowSeconds: 60 },
  ];
  return all.filter(({ points }) => points > 0);
};
