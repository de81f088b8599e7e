import type { Cell } from './suite.js';

export interface Verdict {
  readonly goal: string;
  readonly value: number;
  readonly pass: boolean;
}

/** Where the goal of 48 % of offline holds: GPU-like, lognormal lengths of median 40 and sigma 0.8. */
const HEADLINE = { regime: 'gpu', law: 'lognormal 40/0.8' } as const;

/** A cell against the goals. Every value is a ratio; NaN passes nothing. */
export const verdictsOn = (cell: Cell): Verdict[] => {
  const { capacity, offline, noBatching, peers, waste, overload, bulk, r } = cell;
  const best = Math.max(noBatching, ...peers.map((peer) => peer.capacity));
  const atLeast = (goal: string, value: number, limit: number): Verdict => ({
    goal,
    value,
    pass: value >= limit,
  });
  const atMost = (goal: string, value: number, limit: number): Verdict => ({
    goal,
    value,
    pass: value <= limit,
  });
  const isHeadline = cell.regime === HEADLINE.regime && cell.law === HEADLINE.law;
  return [
    ...(isHeadline ? [atLeast('of offline >= 0.48', capacity / offline, 0.48)] : []),
    atLeast('vs no batching >= 0.98', capacity / noBatching, 0.98),
    r > 0.2
      ? atLeast('vs best rule > 1', capacity / best, 1 + Number.EPSILON)
      : atLeast('vs best rule >= 0.98', capacity / best, 0.98),
    atMost('waste <= 0.20', waste, 0.2),
    atLeast('2x: token goodput / peak >= 0.95', overload.goodputOfPeak, 0.95),
    atMost('2x: short / long <= 1.3', overload.shortToLong, 1.3),
    ...bulk.loads.map(({ share, p99Ms, p99WithBulkMs }) =>
      atMost(`p99 with bulk / without, load ${share} <= 1.5`, p99WithBulkMs / p99Ms, 1.5),
    ),
  ];
};
