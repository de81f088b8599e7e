import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FairKeys } from '../../batcher/fair-keys.js';
import { LengthStats } from '../../batcher/length-stats.js';
import { Queue } from '../../batcher/queue.js';
import type { QueuedItem } from '#batcher';

const itemOf = (seq: number, key: number, rows = 1): QueuedItem => ({
  ...{ seq, key, rows, length: 1, compat: '', bulk: false, arrivedAt: 0, deadlineAt: Infinity },
});

describe('the queue', () => {
  it('is a sorted list, whatever is added and removed in whatever order', () =>
    fc.assert(
      fc.property(
        fc.array(fc.record({ key: fc.integer({ min: 0, max: 50 }), remove: fc.option(fc.nat()) }), {
          maxLength: 900,
        }),
        (steps) => {
          const queue = new Queue<QueuedItem>();
          const model: QueuedItem[] = [];
          steps.forEach(({ key, remove }, seq) => {
            const item = itemOf(seq, key, 1 + (seq % 3));
            queue.add(item);
            model.push(item);
            if (remove === null) return;
            const [gone] = model.splice(remove % model.length, 1);
            expect(gone !== undefined && queue.remove(gone)).toBe(true);
            expect(gone !== undefined && queue.remove(gone)).toBe(false);
          });
          model.sort((a, b) => a.key - b.key || a.seq - b.seq);
          expect(queue.window(Infinity)).toEqual(model);
          expect(queue.window(7)).toEqual(model.slice(0, 7));
          expect([queue.size, queue.rows]).toEqual([
            model.length,
            model.reduce((sum, item) => sum + item.rows, 0),
          ]);
          expect(queue.head).toBe(model[0]);
        },
      ),
      { numRuns: 60 },
    ));
});

describe('fair keys', () => {
  const keysOf = (): FairKeys => new FairKeys(() => 100);

  it('are the order of arrival for one caller', () => {
    const keys = keysOf();
    const given = [5, 1, 9].map((cost) => keys.next('a', cost).key);
    expect(given).toEqual([0, 5, 6]);
  });

  it('let a newcomer in before the backlog of one that floods', () => {
    const keys = keysOf();
    const flood = Array.from({ length: 100 }, () => keys.next('flood', 10).key);
    keys.served({ start: flood[3] ?? 0 }, 10, 96);
    const late = keys.next('late', 10).key;
    expect(late).toBe(30);
    expect(flood.filter((key) => key < late)).toHaveLength(3);
  });

  it('give a caller that was away no credit for it', () => {
    const keys = keysOf();
    keys.next('a', 10);
    keys.served({ start: 500 }, 10, 0);
    expect(keys.next('a', 10).key).toBe(500);
  });

  it('order priorities by a bounded distance, so that the lowest comes up in the end', () => {
    const keys = keysOf();
    const low = keys.next('a', 1, 5).key;
    expect(keys.next('b', 1, 1).key).toBeLessThan(keys.next('c', 1, 0).key);
    expect(keys.next('d', 1, 0).key).toBeLessThan(low);
    keys.served({ start: 1_000 }, 10, 0);
    expect(keys.next('e', 1, 1).key).toBeGreaterThan(low);
  });

  it('let higher priorities in before a backlog of lower ones, also once some of it was served', () => {
    const keys = keysOf();
    const backlog = Array.from({ length: 20 }, (_, i) => keys.next(`slow ${i}`, 10, 4));
    for (let served = 0; served < 5; served++)
      keys.served({ start: backlog[served]?.start ?? 0 }, 10, 19 - served);
    expect(keys.next('late', 10).key).toBeLessThan(backlog[5]?.key ?? 0);
  });

  it.each([1, 0])('let the lowest come up at last among priorities of %d without end', (priority) => {
    const keys = keysOf();
    const low = keys.next('low', 10, 5).key;
    const turns = { a: keys.next('a', 10, priority), b: keys.next('b', 10, priority) };
    let servedBefore = 0;
    for (; Math.min(turns.a.key, turns.b.key) <= low && servedBefore < 1_000; servedBefore++) {
      const next = turns.a.key <= turns.b.key ? 'a' : 'b';
      keys.served(turns[next], 10, 2);
      turns[next] = keys.next(next, 10, priority);
    }
    // Some 300 or 400 ms of virtual time for each of two callers.
    expect(servedBefore).toBeLessThan(100);
  });

  it('let the lowest come up at last among callers without end who ask once each', () => {
    const keys = keysOf();
    const low = keys.next('low', 10, 5).key;
    const waiting = Array.from({ length: 8 }, (_, i) => keys.next(`one ${i}`, 10));
    let served = 0;
    for (; served < 1_000; served++) {
      const head = waiting.shift();
      if (head === undefined || head.key > low) break;
      keys.served(head, 10, waiting.length + 1);
      waiting.push(keys.next(`later ${served}`, 10));
    }
    // 300 ms of lane time for each of nine who wait.
    expect(served).toBeGreaterThan(200);
    expect(served).toBeLessThan(300);
  });

  it('tell a place without charging for it', () => {
    const keys = keysOf();
    expect(keys.peek('a', 3)).toEqual({ key: 100, start: 0 });
    expect(keys.next('a', 10)).toEqual({ key: 0, start: 0 });
    expect(keys.peek('a')).toEqual(keys.peek('a'));
    expect(keys.peek('a')).toEqual({ key: 10, start: 10 });
  });
});

describe('length statistics', () => {
  it('answer a quantile to 19 %, and follow a change', () => {
    const stats = new LengthStats();
    expect(stats.quantile(0.95, 42)).toBe(42);
    for (let i = 0; i < 2_000; i++) stats.observe(1 + (i % 100));
    expect(stats.quantile(0.95, 0) / 95).toBeGreaterThan(0.99);
    expect(stats.quantile(0.95, 0) / 95).toBeLessThan(1.2);
    for (let i = 0; i < 5_000; i++) stats.observe(10);
    expect(stats.quantile(0.95, 0)).toBeLessThan(12);
  });
});
