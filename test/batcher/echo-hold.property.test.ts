import { costMs, areaOf, planCost, planFifo, type Knobs, type Plan, type Snapshot } from '#batcher';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { knobs, NOW, snapshots } from './snapshots.js';

const RUNS = { numRuns: Number(process.env.PROPERTY_RUNS ?? 3_000) };

const withoutEcho = (snapshot: Snapshot): Snapshot => {
  const { echo, ...rest } = snapshot;
  return echo === undefined ? snapshot : rest;
};

/** Snapshots in which a hold may pay, more often than by chance: few short items, a cost that is known, returns at hand. */
const hopeful = snapshots.map((snapshot): Snapshot => {
  const { coefficients } = snapshot.cost;
  const window = snapshot.window.slice(0, 3).map((item) => ({
    ...item,
    length: Math.ceil(item.length / 10),
    compat: 'x',
    bulk: item.bulk && item.seq === 2,
    deadlineAt: item.deadlineAt + 80,
  }));
  return {
    ...snapshot,
    window,
    waiting: window.length,
    waitingRows: window.reduce((sum, item) => sum + item.rows, 0),
    idleLanes: Math.max(1, snapshot.idleLanes - 2),
    draining: snapshot.draining && snapshot.idleLanes > 2,
    cost: {
      ...snapshot.cost,
      trusted: true,
      coefficients: { ...coefficients, alphaMs: 10 * coefficients.alphaMs },
    },
  };
});
const eager = knobs.map((k): Knobs => ({
  ...k,
  maxWaitMs: 0,
  join: true,
  echoHoldMs: 4,
  maxBatch: k.maxBatch + 8,
}));
const held = (plan: Plan): plan is Plan & { readonly wakeAtMs: number } => plan.wakeAtMs !== undefined;

describe('the echo hold, for every snapshot', () => {
  it('is off by default: with echoHoldMs 0 the plans are what they are without it', () =>
    fc.assert(
      fc.property(snapshots, knobs, (snapshot, k) => {
        const off = { ...k, echoHoldMs: 0 };
        const { echo } = snapshot;
        const fresh = echo === undefined ? snapshot : { ...snapshot, echo: { ...echo, heldMs: 0 } };
        for (const plan of [planCost, planFifo])
          expect(plan(fresh, NOW, off)).toEqual(plan(withoutEcho(snapshot), NOW, off));
      }),
      RUNS,
    ));

  it('only delays: until something was held, what runs is what would run without it', () =>
    fc.assert(
      fc.property(hopeful, eager, (snapshot, k) => {
        const plan = planCost(snapshot, NOW, k);
        if (held(plan) || (snapshot.echo?.heldMs ?? 0) > 0) return;
        expect(plan).toEqual(planCost(withoutEcho(snapshot), NOW, k));
      }),
      RUNS,
    ));

  it('holds only on the last idle lane, not while draining, no bulk, within its bound, deadlines and the SLO', () => {
    let holds = 0;
    fc.assert(
      fc.property(hopeful, eager, (snapshot, k) => {
        const plan = planCost(snapshot, NOW, k);
        if (!held(plan)) return;
        holds++;
        const { echo, cost, window } = snapshot;
        const waiting = window.filter((item) => !plan.shed.includes(item));
        expect(snapshot).toMatchObject({ draining: false, idleLanes: 1 });
        expect(plan.wakeAtMs).toBeGreaterThan(NOW);
        expect(plan.wakeAtMs).toBeLessThanOrEqual(NOW + k.echoHoldMs - (echo?.heldMs ?? 0) + 1e-9);
        const rows = waiting.reduce((sum, item) => sum + item.rows, 0);
        const tokens = waiting.reduce((sum, item) => sum + item.rows * item.length, 0);
        const longest = Math.max(...waiting.map((item) => item.length));
        const runMs = costMs(cost.coefficients, areaOf(cost.basis, { rows, tokens, longest }), longest);
        for (const item of waiting) {
          expect(item.bulk).toBe(false);
          expect(plan.wakeAtMs + runMs).toBeLessThanOrEqual(item.deadlineAt + 1e-9);
          expect(plan.wakeAtMs + runMs).toBeLessThanOrEqual(item.arrivedAt + k.sloMs + 1e-9);
        }
      }),
      RUNS,
    );
    // One or two in a hundred are held: with none at all the property would say nothing.

    expect(holds).toBeGreaterThan(0);
  });

  it('pays: the fixed cost saved, less what more items cost, is above 1.5 times the delay', () =>
    fc.assert(
      fc.property(hopeful, eager, (snapshot, k) => {
        const plan = planCost(snapshot, NOW, k);
        if (!held(plan)) return;
        const { echo, cost } = snapshot;
        const n = snapshot.window.length - plan.shed.length;
        const back = (echo?.returns ?? [])
          .filter(({ withinMs }) => NOW + withinMs === plan.wakeAtMs)
          .map(({ requests, withinMs }) => ({ back: Math.min(requests, k.maxBatch), withinMs }));
        expect(back.length).toBeGreaterThan(0);
        const pays = back.some(
          ({ back: a, withinMs: h }) => a * cost.coefficients.alphaMs > 1.5 * (n + a) * h,
        );
        expect(pays).toBe(true);
      }),
      RUNS,
    ));
});
