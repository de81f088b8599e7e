import { planCost, type QueuedItem, type Snapshot } from '#batcher';
import { describe, expect, it } from '@jest/globals';
import { bestRule, capacityAtSlo } from '../../src/sim/capacity.js';
import { bestLimitsCapacity, offlineCapacity } from '../../src/sim/offline.js';
import { fixedLengths } from '../../src/sim/lengths.js';
import { NO_BATCHING, OURS, PEERS, ruleNamed } from '../../src/sim/rules.js';
import { overloadTrial } from '../../src/sim/trials.js';
import { poissonTrace } from '../../src/sim/traces.js';
import { coefficients } from '../../src/sim/setting.js';
import { at, GPU, play } from './settings.js';

const KNOBS = {
  maxBatch: 64,
  maxWaitMs: 0,
  echoHoldMs: 0,
  maxBatchTokens: Infinity,
  maxQueue: Infinity,
  join: true,
  shedding: true,
  sloMs: 50,
};

/** What a rule would run now of items with these lengths, one of which arrived every millisecond since time 0. */
const lengthsTaken = (name: string, lengths: readonly number[], now = 1_000): number[] | undefined => {
  const window = lengths.map((length, seq): QueuedItem => ({
    seq,
    key: seq,
    rows: 1,
    length,
    compat: '',
    bulk: false,
    arrivedAt: seq,
    deadlineAt: Infinity,
  }));
  const snapshot: Snapshot = {
    window,
    waiting: window.length,
    waitingRows: window.length,
    idleLanes: 1,
    utilisation: 0.9,
    quiet: false,
    cost: { basis: 'padded', coefficients: GPU.cost, trusted: true },
    draining: false,
  };
  return ruleNamed(name)
    .make()(snapshot, now, KNOBS)
    .group?.items.map(({ length }) => length);
};

describe("the peers' rules", () => {
  const mixed = [9, 200, 12, 10, 180, 11];

  it('none: one by one, the oldest first', () => expect(lengthsTaken('none', mixed)).toEqual([9]));
  it('fifo: in order, up to its size', () => expect(lengthsTaken('fifo:4', mixed)).toEqual([9, 200, 12, 10]));
  it('tokens: in order, while rows x longest fit', () =>
    expect(lengthsTaken('tokens:600', mixed)).toEqual([9, 200, 12]));
  it('buckets: the lengths of the power of two of the oldest', () =>
    expect(lengthsTaken('buckets:8', mixed)).toEqual([9, 12, 10, 11]));
  it('slabs: the shortest of what it took out, in whole batches', () => {
    expect([...(lengthsTaken('slabs:3', mixed) ?? [])].sort((a, b) => a - b)).toEqual([9, 10, 11]);
    expect(lengthsTaken('slabs:4', mixed)).toEqual([9, 200, 12, 10]);
  });
  it('bento: does not hold back before it has seen a run', () =>
    expect(lengthsTaken('bento:4', mixed)).toEqual([9, 200, 12, 10]));
  it('timer: waits until its window closes, and takes nobody who came later', () => {
    expect(lengthsTaken('timer:8,3', mixed, 2)).toBeUndefined();
    expect(lengthsTaken('timer:8,3', mixed)).toEqual([9, 200, 12, 10]);
    expect(lengthsTaken('timer:2,3', mixed, 1)).toEqual([9, 200]);
  });

  it('timer: wakes up by itself', async () => {
    const { latencyMs } = await play(ruleNamed('timer:8,5'), at([0, 10], [3, 10]));
    const runMs = 3 + 0.004 * 20 + 2e-6 * 20 * 10;
    expect(latencyMs[0]).toBeCloseTo(5 + runMs, 9);
    expect(latencyMs[1]).toBeCloseTo(2 + runMs, 9);
  });

  it.each(Object.values(PEERS).map((names) => names[2] ?? ''))('%s answers everybody', async (name) => {
    const trace = poissonTrace({ requests: 1_000, lengths: GPU.lengths, seed: 2 }, 600);
    const { latencyMs } = await play(ruleNamed(name), trace);
    expect(latencyMs.every((ms) => ms > 3)).toBe(true);
  });

  it('are refused by a name that nobody has', () => {
    for (const name of ['lifo', 'fifo', 'fifo:0', 'fifo:x', 'timer:8', 'buckets:8,2'])
      expect(() => ruleNamed(name)).toThrow(`found "${name}"`);
  });
});

describe('capacities', () => {
  const effort = { requests: 2_000, seeds: [1], tolerance: 0.03 };

  it('offline: fixed limits reach no more than the optimal split, and that no more than no padding at all', () => {
    const free = 1000 / (GPU.cost.betaMsPerToken * 55);
    expect(bestLimitsCapacity(GPU, 1_000)).toBeLessThanOrEqual(offlineCapacity(GPU, 1_000));
    expect(offlineCapacity(GPU, 1_000)).toBeLessThan(free);
  });

  it('offline of equal lengths is one over the cost in the largest group', () => {
    const setting = { ...GPU, cost: coefficients(1, 0.01, 0, 0), lengths: fixedLengths(100) };
    expect(offlineCapacity(setting, 1_024)).toBeCloseTo(1000 / (1 + 1 / 512), 6);
  });

  it('is found from any guess, and is where the SLO is just held', async () => {
    const near = await capacityAtSlo(NO_BATCHING, GPU, effort, 200);
    const far = await capacityAtSlo(NO_BATCHING, GPU, effort, 5_000);
    expect(Math.abs(near / far - 1)).toBeLessThan(0.05);
    // A queue that runs one by one can't pass 1 / (mean run).
    expect(near).toBeLessThan(1000 / 3.2);
    expect(near).toBeGreaterThan(200);
  });

  it('of the plan is ahead of the best of each peer where batching pays', async () => {
    const ours = await capacityAtSlo(OURS, GPU, effort, 1_500);
    const names = ['fifo:8', 'buckets:32', 'slabs:8', 'tokens:2048'];
    const best = await bestRule(names.map(ruleNamed), GPU, effort, 1_000);
    expect(best?.rule.name).toBe('buckets:32');
    expect(ours).toBeGreaterThan(1.1 * (best?.capacity ?? Infinity));
  });

  it('is 0 where not even a lone request makes it', async () => {
    expect(await capacityAtSlo(OURS, { ...GPU, sloMs: 1 }, effort, 100)).toBe(0);
  });
});

describe('twice the capacity', () => {
  it('keeps the goodput and is fair to long texts', async () => {
    const trial = await overloadTrial({ setting: GPU, capacity: 1_900, seed: 4, requests: 8_000 });
    expect(trial.goodputOfPeak).toBeGreaterThan(0.95);
    expect(trial.shortToLong).toBeLessThan(1.3);
    expect(trial.shortToLong).toBeGreaterThan(1 / 1.3);
  });
});

describe('the plan that is simulated', () => {
  it('is the one that serves', () => expect(OURS.make()).toBe(planCost));
});
