import {
  areaOf,
  costMs,
  planCost,
  planFifo,
  type Group,
  type Knobs,
  type PlanFn,
  type QueuedItem,
  type Snapshot,
} from '#batcher';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { groupOf } from '../../batcher/group.js';
import { knobs, NOW, snapshots } from './snapshots.js';

const RUNS = { numRuns: Number(process.env.PROPERTY_RUNS ?? 3_000) };

const check = (holds: (snapshot: Snapshot, knobs: Knobs) => void): void =>
  fc.assert(fc.property(snapshots, knobs, holds), RUNS);

/** Those that the plan did not shed. */
const live = (snapshot: Snapshot, shed: readonly QueuedItem[]): QueuedItem[] =>
  snapshot.window.filter((item) => !shed.includes(item));

const msOf = (group: Group, { cost }: Snapshot): number =>
  costMs(cost.coefficients, areaOf(cost.basis, group), group.longest);

/** What both plans promise, whatever they compose. */
const contract = (plan: PlanFn): void => {
  it('is pure: the same answer twice, inputs unchanged', () =>
    check((snapshot, k) => {
      const before = JSON.stringify(snapshot);
      expect(plan(snapshot, NOW, k)).toEqual(plan(snapshot, NOW, k));
      expect(JSON.stringify(snapshot)).toBe(before);
    }));

  it('makes a group of distinct items of the queue, never an empty one', () =>
    check((snapshot, k) => {
      const { group } = plan(snapshot, NOW, k);
      if (group === undefined) return;
      expect(group.items.length).toBeGreaterThan(0);
      expect(new Set(group.items).size).toBe(group.items.length);
      for (const item of group.items) expect(snapshot.window).toContain(item);
    }));

  it('keeps maxBatch and maxBatchTokens but for a single item', () =>
    check((snapshot, k) => {
      const { group } = plan(snapshot, NOW, k);
      if (group === undefined || group.items.length === 1) return;
      expect(group.rows).toBeLessThanOrEqual(k.maxBatch);
      expect(group.paddedTokens).toBeLessThanOrEqual(k.maxBatchTokens);
    }));

  it('counts rows, tokens and padding of its own items', () =>
    check((snapshot, k) => {
      const { group } = plan(snapshot, NOW, k);
      if (group === undefined) return;
      const rows = group.items.reduce((sum, item) => sum + item.rows, 0);
      const longest = Math.max(...group.items.map((item) => item.length));
      const tokens = group.items.reduce((sum, item) => sum + item.rows * item.length, 0);
      expect(group).toMatchObject({ rows, tokens, longest, paddedTokens: rows * longest });
    }));

  it('with work waiting dispatches or says when to ask again, later than now', () =>
    check((snapshot, k) => {
      const { group, wakeAtMs, shed } = plan(snapshot, NOW, k);
      if (live(snapshot, shed).length === 0) {
        expect(group).toBeUndefined();
        expect(wakeAtMs).toBeUndefined();
      } else if (group === undefined) {
        expect(wakeAtMs).toBeGreaterThan(NOW);
        expect(wakeAtMs).toBeLessThan(Infinity);
      }
    }));

  it('holds nothing past maxWaitMs of its arrival or echoHoldMs of the hold, and nothing while draining', () =>
    check((snapshot, k) => {
      const { group, wakeAtMs = Infinity, shed } = plan(snapshot, NOW, k);
      const waiting = live(snapshot, shed);
      if (group !== undefined || waiting.length === 0) return;
      expect(snapshot.draining).toBe(false);
      const oldest = Math.min(...waiting.map((item) => item.arrivedAt));
      const echoUntil = NOW + k.echoHoldMs - (snapshot.echo?.heldMs ?? Infinity);
      expect(wakeAtMs).toBeLessThanOrEqual(Math.max(oldest + k.maxWaitMs, echoUntil) + 1e-9);
    }));

  it('sheds all that are late, and none that could make it', () =>
    check((snapshot, k) => {
      const { shed, group } = plan(snapshot, NOW, k);
      for (const item of snapshot.window) {
        const { rows, length } = item;
        const alone = msOf({ rows, tokens: rows * length, longest: length } as Group, snapshot);
        if (item.deadlineAt <= NOW) expect(shed).toContain(item);
        if (item.deadlineAt > NOW + (snapshot.cost.trusted && k.shedding ? alone : 0))
          expect(shed).not.toContain(item);
      }
      for (const item of group?.items ?? []) expect(shed).not.toContain(item);
    }));

  it('sheds nothing when nobody has a deadline', () =>
    check((snapshot, k) => {
      const window = snapshot.window.map((item) => ({ ...item, deadlineAt: Infinity }));
      expect(plan({ ...snapshot, window }, NOW, k).shed).toEqual([]);
    }));

  it('mixes no shapes, and joins nothing when told so', () =>
    check((snapshot, k) => {
      const { group } = plan(snapshot, NOW, k);
      if (group === undefined) return;
      expect(new Set(group.items.map((item) => item.compat)).size).toBe(1);
      if (!k.join) expect(group.items.length).toBe(1);
    }));
};

describe('planFifo, for every snapshot', () => {
  contract(planFifo);

  it('takes the head of the line and lets nobody of its shape be overtaken', () =>
    check((snapshot, k) => {
      const { group, shed } = planFifo(snapshot, NOW, k);
      if (group === undefined) return;
      const waiting = live(snapshot, shed);
      expect(group.items[0]).toBe(waiting[0]);
      const sameShape = waiting.filter((item) => item.compat === waiting[0]?.compat);
      expect(group.items).toEqual(sameShape.slice(0, group.items.length));
    }));
});

describe('planCost, for every snapshot', () => {
  contract(planCost);

  it('runs what comes to an idle lane, or never had a chance, whatever is predicted: else no run would correct it', () =>
    check((snapshot, k) => {
      const { shed } = planCost(snapshot, NOW, k);
      for (const [i, { rows, length, arrivedAt, deadlineAt }] of shed.entries()) {
        // Only those that were left when all who were could run at once.
        if (deadlineAt <= NOW || snapshot.waiting - i > snapshot.idleLanes) continue;
        const hadMs = deadlineAt - arrivedAt;
        const alone = msOf({ rows, tokens: rows * length, longest: length } as Group, snapshot);
        expect(NOW - arrivedAt).toBeGreaterThan(hadMs / 8);
        expect(alone).toBeLessThan(hadMs);
      }
    }));

  it('holds nobody for more than half of the time that is to spare', () =>
    check((snapshot, k) => {
      const { group, shed, wakeAtMs = 0 } = planCost(snapshot, NOW, { ...k, echoHoldMs: 0 });
      if (group !== undefined) return;
      for (const { rows, length, arrivedAt, deadlineAt } of live(snapshot, shed)) {
        const alone = msOf({ rows, tokens: rows * length, longest: length } as Group, snapshot);
        expect(wakeAtMs).toBeLessThanOrEqual(arrivedAt + (deadlineAt - arrivedAt - alone) / 2);
      }
    }));

  const isBulk = (item: QueuedItem, k: Knobs): boolean => item.bulk && NOW - item.arrivedAt < 20 * k.sloMs;

  it('always takes the anchor: the first interactive item, or the first of all', () =>
    check((snapshot, k) => {
      const { group, shed } = planCost(snapshot, NOW, k);
      if (group === undefined) return;
      const waiting = live(snapshot, shed);
      expect(group.items).toContain(waiting.find((item) => !isBulk(item, k)) ?? waiting[0]);
    }));

  /** Lengths that count as equal: up to 16 each its own, then 16 steps an octave. */
  const quantised = (length: number): number => {
    const step = 2 ** Math.max(0, Math.floor(Math.log2(length)) - 4);
    return Math.ceil(length / step) * step;
  };

  it('lets nobody of equal length, shape and class be overtaken', () =>
    check((snapshot, k) => {
      const { group, shed } = planCost(snapshot, NOW, k);
      for (const item of live(snapshot, shed)) {
        if (group === undefined || group.items.includes(item)) continue;
        const overtaking = group.items.filter(
          (other) =>
            // Bulk rides only inside of what is paid for, where a token more may not fit.
            (isBulk(item, k)
              ? other.length === item.length
              : quantised(other.length) === quantised(item.length)) &&
            other.compat === item.compat &&
            isBulk(other, k) === isBulk(item, k) &&
            (other.key > item.key || (other.key === item.key && other.seq > item.seq)),
        );
        // A row more of an item may be what does not fit: only items of equal rows compare.
        expect(overtaking.filter((other) => other.rows === item.rows)).toEqual([]);
      }
    }));

  it('keeps a run of several within half of the SLO, an eighth for bulk alone where interactive ones come', () =>
    check((snapshot, k) => {
      const { group } = planCost(snapshot, NOW, k);
      if (group === undefined || group.items.length === 1) return;
      const interactive = group.items.filter((item) => !isBulk(item, k));
      if (interactive.length === group.items.length)
        expect(msOf(group, snapshot)).toBeLessThanOrEqual(k.sloMs / 2 + 1e-9);
      if (interactive.length === 0)
        expect(msOf(group, snapshot)).toBeLessThanOrEqual(k.sloMs / (snapshot.quiet ? 2 : 8) + 1e-9);
    }));

  it('makes no run in which all are late where its anchor alone would not be', () =>
    check((any, k) => {
      const aloneMs = (item: QueuedItem): number => msOf(groupOf([item], 'single'), any);
      // As under overload: little time is left to any of them.
      const window = any.window.map((item) => ({ ...item, deadlineAt: NOW + 1 + 1.4 * aloneMs(item) }));
      const snapshot = { ...any, window };
      const { group } = planCost(snapshot, NOW, k);
      if (group === undefined || new Set(group.items.map((item) => isBulk(item, k))).size > 1) return;
      const runMs = msOf(group, snapshot);
      expect(group.items.some(({ deadlineAt }) => NOW + runMs <= deadlineAt + 1e-9)).toBe(true);
    }));

  it('lets bulk items lengthen an interactive run by a quarter at most', () =>
    check((snapshot, k) => {
      const { group } = planCost(snapshot, NOW, k);
      if (group === undefined) return;
      const interactive = group.items.filter((item) => !isBulk(item, k));
      if (interactive.length === 0 || interactive.length === group.items.length) return;
      const rows = interactive.reduce((sum, item) => sum + item.rows, 0);
      const tokens = interactive.reduce((sum, item) => sum + item.rows * item.length, 0);
      const longest = Math.max(...interactive.map((item) => item.length));
      const without = costMs(
        snapshot.cost.coefficients,
        areaOf(snapshot.cost.basis, { rows, tokens, longest }),
        longest,
      );
      expect(msOf(group, snapshot)).toBeLessThanOrEqual(1.25 * without + 1e-9);
      expect(group.longest).toBe(longest);
    }));
});
