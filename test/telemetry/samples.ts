import type { BatcherEvent, CostFit, Group } from '#batcher';

export const groupOf = (fields: Partial<Group>): Group => ({
  items: [],
  rows: 1,
  tokens: 1,
  longest: 1,
  paddedTokens: 1,
  reason: 'lane_free',
  ...fields,
});

/** A fit with figures that tell them apart. */
export const COST: CostFit = {
  basis: 'padded',
  coefficients: { alphaMs: 1, betaMsPerToken: 2, kneeTokens: 3, quadMsPerTokenSquared: 4 },
  error: 0.5,
  runs: 10,
};

/** One of each kind, with figures that tell them apart. */
export const everyEvent = (): readonly BatcherEvent[] => {
  const group = groupOf({ rows: 4, tokens: 60, paddedTokens: 100 });
  return [
    { type: 'admitted', items: 2, rows: 5 },
    { type: 'shared', rows: 6 },
    { type: 'refused', rows: 9, code: 'QUEUE_FULL', reason: 'late' },
    { type: 'cancelled', rows: 2 },
    { type: 'expired', rows: 3 },
    { type: 'dispatched', group, queueMs: [10, 20], predictedMs: 400, waiting: 1 },
    { type: 'failed', group, code: 'WORKER_LOST', retried: true },
    {
      type: 'dispatched',
      group: { ...group, reason: 'retry' },
      queueMs: [1000, 2000],
      predictedMs: 400,
      waiting: 0,
    },
    { type: 'failed', group, code: 'Something else', retried: false },
    { type: 'completed', group, runMs: 500, laneMs: 512, predictedMs: 400, unpaddedMs: 256 },
  ];
};

/** `name{labels}` -> value, from Prometheus' text format. */
export const samplesOf = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
