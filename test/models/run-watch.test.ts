import { describe, expect, it } from '@jest/globals';
import { runLimitMs, RunWatch } from '../../src/models/run-watch.js';

const LIMITS = { factor: 20, minMs: 10_000, firstMs: 120_000 };

describe('runLimitMs', () => {
  it.each([
    ['a short run: the floor', 5, true, 10_000],
    ['a long run: the factor', 900, true, 18_000],
    ['a guess: the large constant', 5, false, 120_000],
    ['a guess of something very long: the factor', 10_000, false, 200_000],
  ])('%s', (_, predictedMs, isTrusted, limit) => {
    expect(runLimitMs(predictedMs, isTrusted, LIMITS)).toBe(limit);
  });

  it('is none with factor 0', () => {
    expect(runLimitMs(5, true, { ...LIMITS, factor: 0 })).toBe(Infinity);
  });
});

describe('overdue', () => {
  const watch = (run: { predictedMs: number; limitMs: number }): RunWatch => {
    const runs = new RunWatch();
    runs.begin({ startedAt: 0, ...run });
    return runs;
  };

  it('needs the floor, the factor, and the time in which its lane should have been given up', () => {
    const short = watch({ predictedMs: 1, limitMs: 100 });
    expect([short.overdue(500, 100, 500), short.overdue(501, 100, 500)]).toEqual([
      undefined,
      { ageMs: 501, predictedMs: 1 },
    ]);
    const slow = watch({ predictedMs: 10, limitMs: 100 });
    expect([slow.overdue(1000, 100, 500), slow.overdue(1001, 100, 500)?.ageMs]).toEqual([undefined, 1001]);
    const limited = watch({ predictedMs: 1, limitMs: 1000 });
    expect([limited.overdue(1500, 100, 500), limited.overdue(1501, 100, 500)?.ageMs]).toEqual([
      undefined,
      1501,
    ]);
    const unlimited = watch({ predictedMs: 1, limitMs: Infinity });
    expect(unlimited.overdue(501, 100, 500)?.ageMs).toBe(501);
  });

  it('is the oldest of those under way; an ended one is none', () => {
    const runs = new RunWatch();
    const ends = [10, 5, 20].map((startedAt) => runs.begin({ startedAt, predictedMs: 1, limitMs: 1 }));
    expect(runs.overdue(1000, 1, 1)?.ageMs).toBe(995);
    ends[1]?.();
    expect(runs.overdue(1000, 1, 1)?.ageMs).toBe(990);
    ends.forEach((end) => end());
    expect(runs.overdue(1000, 1, 1)).toBeUndefined();
  });
});
