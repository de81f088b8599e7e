import { describe, expect, it } from '@jest/globals';
import { planCost, type Knobs, type QueuedItem, type Snapshot } from '#batcher';
import { settle } from '../support/fake-clock.js';
import { PuppetLanes } from '../support/puppet-lanes.js';

const KNOBS: Knobs = {
  maxBatch: 64,
  maxWaitMs: 0,
  echoHoldMs: 0,
  maxBatchTokens: 100_000,
  maxQueue: 1_000,
  join: true,
  shedding: true,
  sloMs: 10_000,
};
/** Fixed cost enough that joining pays, and a token dear enough that padding does not. */
const COST = { alphaMs: 3, betaMsPerToken: 0.05, kneeTokens: 0, quadMsPerTokenSquared: 0 };

const snapshotOf = (lengths: readonly number[], over: Partial<Snapshot> = {}): Snapshot => ({
  window: lengths.map((length, seq): QueuedItem => ({
    ...{ seq, key: seq, rows: 1, length, compat: '', bulk: false, arrivedAt: 0, deadlineAt: Infinity },
  })),
  waiting: lengths.length,
  waitingRows: lengths.length,
  idleLanes: 1,
  utilisation: 0.9,
  quiet: false,
  cost: { basis: 'padded', coefficients: COST, trusted: true },
  draining: false,
  ...over,
});

const groupOf = (snapshot: Snapshot, knobs = KNOBS): number[] =>
  (planCost(snapshot, 100, knobs).group?.items ?? []).map((item) => item.length).sort((a, b) => a - b);

describe('composition by cost', () => {
  it('does not pad seven short texts to a long one', () => {
    expect(groupOf(snapshotOf([10, 12, 256, 14, 16, 18, 20, 30]))).not.toContain(256);
  });

  it('runs the long one alone when it is its turn', () => {
    expect(groupOf(snapshotOf([256, 10, 12, 14, 16, 18, 20, 30]))).toEqual([256]);
  });

  it('joins what is alike', () => {
    expect(groupOf(snapshotOf([16, 16, 16, 15, 16, 16, 14, 16]))).toEqual([14, 15, 16, 16, 16, 16, 16, 16]);
  });

  it('joins nothing where a run has no fixed cost', () => {
    const cost = { basis: 'padded', coefficients: { ...COST, alphaMs: 0 }, trusted: true } as const;
    expect(groupOf(snapshotOf([20, 21, 20, 22], { cost }))).toEqual([20]);
  });

  it('leaves work for the other idle lanes', () => {
    expect(groupOf(snapshotOf([16, 16, 16, 16], { idleLanes: 4 }))).toEqual([16]);
    expect(groupOf(snapshotOf([16, 16, 16, 16], { idleLanes: 2 }))).toEqual([16, 16]);
  });

  it('holds for maxWaitMs what it would split by cost or among idle lanes, but no more than fills a batch', () => {
    const patient = { ...KNOBS, maxWaitMs: 150 };
    const held = { shed: [], wakeAtMs: 150 };
    expect(planCost(snapshotOf([10, 256]), 100, patient)).toEqual(held);
    expect(planCost(snapshotOf([16, 16], { idleLanes: 2 }), 100, patient)).toEqual(held);
    expect(planCost(snapshotOf([10, 256]), 150, patient).group?.rows).toBe(1);
    expect(planCost(snapshotOf([10, 256]), 100, { ...patient, maxBatch: 2 }).group?.rows).toBe(1);
    expect(planCost(snapshotOf([10, 256]), 100, { ...patient, maxBatchTokens: 266 }).group?.rows).toBe(1);
    expect(planCost(snapshotOf([10, 256], { draining: true }), 100, patient).group?.rows).toBe(1);
  });

  it('counts the granted lane and the others: two idle lanes get half each', async () => {
    const dear = { ...COST, betaMsPerToken: 0.001 };
    const lanes = new PuppetLanes({}, 2, { plan: planCost, cost: dear });
    lanes.submit('a b c d');
    await settle();
    expect(lanes.history).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    await lanes.finishAll();
  });

  it('takes the earliest of equal lengths, but no more rows than fit', () => {
    const rows = [1, 2, 1];
    const snapshot = snapshotOf([33, 32, 32], {
      waitingRows: 4,
      cost: { basis: 'rows', coefficients: { ...COST, betaMsPerToken: 0 }, trusted: true },
    });
    const window = snapshot.window.map((item, i) => ({ ...item, rows: rows[i] ?? 1 }));
    const { group } = planCost({ ...snapshot, window }, 100, { ...KNOBS, maxBatch: 2 });
    expect(group?.items.map(({ seq }) => seq).sort()).toEqual([0, 2]);
  });

  it('keeps a run within half of the SLO', () => {
    const lengths = new Array<number>(40).fill(16);
    expect(groupOf(snapshotOf(lengths), { ...KNOBS, sloMs: 22 })).toHaveLength(10);
  });
});
