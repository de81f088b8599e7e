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
    const given = [5, 1, 9].map((cost) => keys.next('a', cost));
    expect(given).toEqual([0, 5, 6]);
  });

  it('let a newcomer in before the backlog of one that floods', () => {
    const keys = keysOf();
    const flood = Array.from({ length: 100 }, () => keys.next('flood', 10));
    keys.served(flood[3] ?? 0);
    const late = keys.next('late', 10);
    expect(late).toBe(30);
    expect(flood.filter((key) => key < late)).toHaveLength(3);
  });

  it('give a caller that was away no credit for it', () => {
    const keys = keysOf();
    keys.next('a', 10);
    keys.served(500);
    expect(keys.next('a', 10)).toBe(500);
  });

  it('order priorities by a bounded distance, so that the lowest comes up in the end', () => {
    const keys = keysOf();
    const low = keys.next('a', 1, 5);
    expect(keys.next('b', 1, 1)).toBeLessThan(keys.next('c', 1, 0));
    expect(keys.next('d', 1, 0)).toBeLessThan(low);
    keys.served(1_000);
    expect(keys.next('e', 1, 1)).toBeGreaterThan(low);
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
