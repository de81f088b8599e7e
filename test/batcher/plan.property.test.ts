import { planFifo, type Knobs, type QueuedItem, type Snapshot } from '#batcher';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

/** Random snapshots: the queue in order of arrival, some items late, a few shapes. */
const snapshots: fc.Arbitrary<Snapshot> = fc
  .record({
    items: fc.array(
      fc.record({
        rows: fc.integer({ min: 1, max: 5 }),
        length: fc.integer({ min: 1, max: 50 }),
        compat: fc.constantFrom('x', 'y'),
        gapMs: fc.integer({ min: 0, max: 5 }),
        slackMs: fc.option(fc.integer({ min: 0, max: 100 }), { nil: Infinity }),
      }),
      { maxLength: 40 },
    ),
    draining: fc.boolean(),
  })
  .map(({ items, draining }) => {
    let arrivedAt = 0;
    const window = items.map(({ rows, length, compat, gapMs, slackMs }, seq): QueuedItem => {
      arrivedAt += gapMs;
      return { seq, rows, length, compat, arrivedAt, deadlineAt: arrivedAt + slackMs };
    });
    return { window, draining };
  });

const knobs: fc.Arbitrary<Knobs> = fc.record({
  maxBatch: fc.integer({ min: 1, max: 12 }),
  maxWaitMs: fc.constantFrom(0, 0, 3, 50),
  maxBatchTokens: fc.integer({ min: 1, max: 300 }),
  maxQueue: fc.constant(10_000),
  join: fc.boolean(),
});

const cases = [snapshots, fc.integer({ min: 0, max: 150 }), knobs] as const;
const RUNS = { numRuns: 5_000 };

const check = (holds: (snapshot: Snapshot, now: number, knobs: Knobs) => void): void =>
  fc.assert(fc.property(...cases, holds), RUNS);

const live = (snapshot: Snapshot, now: number): QueuedItem[] =>
  snapshot.window.filter((item) => item.deadlineAt > now);

describe('planFifo, for every snapshot', () => {
  it('is pure: the same answer twice, inputs unchanged', () =>
    check((snapshot, now, k) => {
      const before = JSON.stringify(snapshot);
      expect(planFifo(snapshot, now, k)).toEqual(planFifo(snapshot, now, k));
      expect(JSON.stringify(snapshot)).toBe(before);
    }));

  it('makes a group of distinct items of the queue, never an empty one', () =>
    check((snapshot, now, k) => {
      const { group } = planFifo(snapshot, now, k);
      if (group === undefined) return;
      expect(group.items.length).toBeGreaterThan(0);
      expect(new Set(group.items).size).toBe(group.items.length);
      for (const item of group.items) expect(snapshot.window).toContain(item);
    }));

  it('keeps maxBatch and maxBatchTokens but for a single item', () =>
    check((snapshot, now, k) => {
      const { group } = planFifo(snapshot, now, k);
      if (group === undefined || group.items.length === 1) return;
      expect(group.rows).toBeLessThanOrEqual(k.maxBatch);
      expect(group.paddedTokens).toBeLessThanOrEqual(k.maxBatchTokens);
    }));

  it('counts rows, tokens and padding of its own items', () =>
    check((snapshot, now, k) => {
      const { group } = planFifo(snapshot, now, k);
      if (group === undefined) return;
      const rows = group.items.reduce((sum, item) => sum + item.rows, 0);
      expect(group.rows).toBe(rows);
      expect(group.tokens).toBe(group.items.reduce((sum, item) => sum + item.rows * item.length, 0));
      expect(group.paddedTokens).toBe(rows * Math.max(...group.items.map((item) => item.length)));
    }));

  it('always takes the head of the line first', () =>
    check((snapshot, now, k) => {
      const { group } = planFifo(snapshot, now, k);
      if (group !== undefined) expect(group.items[0]).toBe(live(snapshot, now)[0]);
    }));

  it('lets nobody of one shape be overtaken', () =>
    check((snapshot, now, k) => {
      const { group } = planFifo(snapshot, now, k);
      if (group === undefined) return;
      const sameShape = live(snapshot, now).filter((item) => item.compat === group.items[0]?.compat);
      expect(group.items).toEqual(sameShape.slice(0, group.items.length));
    }));

  it('with work waiting dispatches or says when to ask again, later than now', () =>
    check((snapshot, now, k) => {
      const { group, wakeAtMs } = planFifo(snapshot, now, k);
      if (live(snapshot, now).length === 0) {
        expect(group).toBeUndefined();
        expect(wakeAtMs).toBeUndefined();
      } else if (group === undefined) {
        expect(wakeAtMs).toBeGreaterThan(now);
        expect(wakeAtMs).toBeLessThan(Infinity);
      }
    }));

  it('holds nobody past maxWaitMs, and nobody at all when it is 0 or draining', () =>
    check((snapshot, now, k) => {
      const head = live(snapshot, now)[0];
      const { group } = planFifo(snapshot, now, k);
      if (head === undefined || group !== undefined) return;
      expect(snapshot.draining).toBe(false);
      expect(now - head.arrivedAt).toBeLessThan(k.maxWaitMs);
    }));

  it('sheds exactly the late ones', () =>
    check((snapshot, now, k) => {
      const { shed, group } = planFifo(snapshot, now, k);
      expect(shed).toEqual(snapshot.window.filter((item) => item.deadlineAt <= now));
      for (const item of group?.items ?? []) expect(shed).not.toContain(item);
    }));

  it('mixes no shapes, and joins nothing when told so', () =>
    check((snapshot, now, k) => {
      const { group } = planFifo(snapshot, now, k);
      if (group === undefined) return;
      expect(new Set(group.items.map((item) => item.compat)).size).toBe(1);
      if (!k.join) expect(group.items.length).toBe(1);
    }));
});
