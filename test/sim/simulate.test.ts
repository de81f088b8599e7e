import { describe, expect, it } from '@jest/globals';
import { fixedLengths } from '../../src/sim/lengths.js';
import { reportOn } from '../../src/sim/report.js';
import { NO_BATCHING, OURS, ruleNamed } from '../../src/sim/rules.js';
import { coefficients } from '../../src/sim/setting.js';
import { FATE } from '../../src/sim/simulate.js';
import { burstyTrace, closedTrace, poissonTrace, withBulk } from '../../src/sim/traces.js';
import { at, GPU, play } from './settings.js';

/** A run of one row takes 10 ms, whatever its length. */
const TEN_MS = { ...GPU, cost: coefficients(10, 0, 0, 0), lengths: fixedLengths(8) };

describe('the simulator', () => {
  it.each([0.3, 0.7])('has the mean wait of an M/D/1 queue at load %f', async (load) => {
    const trace = poissonTrace({ requests: 15_000, lengths: TEN_MS.lengths, seed: 7 }, load * 100);
    const { latencyMs } = await play(NO_BATCHING, trace, { setting: TEN_MS });
    const meanWaitMs = latencyMs.reduce((sum, ms) => sum + ms, 0) / latencyMs.length - 10;
    // Pollaczek and Khinchine: rho * S / (2 * (1 - rho)).
    const expectedMs = (load * 10) / (2 * (1 - load));
    expect(Math.abs(meanWaitMs / expectedMs - 1)).toBeLessThan(0.08);
  });

  it('has the latencies that one can work out by hand', async () => {
    const { latencyMs } = await play(NO_BATCHING, at([0, 8], [4, 8], [50, 8]), { setting: TEN_MS });
    expect([...latencyMs]).toEqual([10, 16, 10]);
  });

  it('runs on two lanes at once', async () => {
    const { latencyMs } = await play(NO_BATCHING, at([0, 8], [4, 8], [6, 8]), {
      setting: { ...TEN_MS, lanes: 2 },
    });
    expect([...latencyMs]).toEqual([10, 10, 14]);
  });

  it('never idles a lane while work waits: it is busy from the first arrival on under overload', async () => {
    const trace = poissonTrace({ requests: 2_000, lengths: GPU.lengths, seed: 3 }, 20_000);
    for (const rule of [OURS, NO_BATCHING, ruleNamed('fifo:16'), ruleNamed('slabs:16')]) {
      const { busyMs, endMs } = await play(rule, trace);
      expect(busyMs).toBeCloseTo(endMs - (trace[0]?.atMs ?? 0), 6);
    }
  });

  it('tells the same story for the same seed, and another for another', async () => {
    const story = async (seed: number): Promise<number[]> => {
      const trace = poissonTrace({ requests: 2_000, lengths: GPU.lengths, seed }, 1_500);
      return [...(await play(OURS, trace)).latencyMs];
    };
    expect(await story(1)).toEqual(await story(1));
    expect(await story(1)).not.toEqual(await story(2));
  });

  it('keeps one request of each client under way in a closed loop', async () => {
    const trace = closedTrace({ requests: 1_000, lengths: TEN_MS.lengths, seed: 1 }, 0);
    const { endMs, latencyMs } = await play(NO_BATCHING, trace, { setting: TEN_MS, clients: 4 });
    // Four clients without think time: the lane never rests, and each waits for the other three.
    expect(endMs).toBeCloseTo(10_000, 3);
    expect(latencyMs[500]).toBeCloseTo(40, 3);
  });

  it('counts a request served when its last row is, and each of its rows', async () => {
    const trace = [{ atMs: 0, lengths: [8, 8, 8] }];
    const outcome = await play(NO_BATCHING, trace, { setting: TEN_MS });
    expect([...outcome.latencyMs]).toEqual([30]);
    expect(outcome).toMatchObject({ rows: 3, runs: 3 });
  });

  it('settles each request once: what was late stays late', async () => {
    const outcome = await play(NO_BATCHING, at([0, 8], [1, 8], [2, 8]), {
      setting: TEN_MS,
      deadlineMs: 15,
    });
    expect(outcome.fate[0]).toBe(FATE.served);
    expect(outcome.latencyMs[0]).toBe(10);
    expect([...outcome.fate].filter((fate) => fate === FATE.unknown)).toEqual([]);
    expect(outcome.fate[2]).not.toBe(FATE.served);
    expect(outcome.latencyMs[2]).toBeNaN();
  });
});

describe('traces', () => {
  const options = { requests: 10_000, lengths: GPU.lengths, seed: 5 };
  const meanGapMs = (trace: readonly { atMs: number }[]): number => (trace.at(-1)?.atMs ?? 0) / trace.length;
  /** Variance over mean of the counts in windows of 100 ms: 1 for Poisson. */
  const burstiness = (trace: readonly { atMs: number }[]): number => {
    const counts = new Float64Array(Math.floor((trace.at(-1)?.atMs ?? 0) / 100));
    for (const { atMs } of trace) {
      const at = Math.floor(atMs / 100);
      if (at < counts.length) counts[at] = (counts[at] ?? 0) + 1;
    }
    const mean = counts.reduce((a, b) => a + b, 0) / counts.length;
    return counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length / mean;
  };

  it('have the rate that was asked for', () => {
    expect(meanGapMs(poissonTrace(options, 500))).toBeCloseTo(2, 1);
    expect(Math.abs(meanGapMs(burstyTrace(options, 500)) / 2 - 1)).toBeLessThan(0.2);
  });

  it('come in bursts when told so', () => {
    expect(burstiness(poissonTrace(options, 500))).toBeLessThan(1.3);
    expect(burstiness(burstyTrace(options, 500))).toBeGreaterThan(10);
  });

  it('have the same texts at any rate', () => {
    const lengths = (rate: number): number[] => poissonTrace(options, rate).flatMap((r) => [...r.lengths]);
    expect(lengths(100)).toEqual(lengths(900));
  });

  it('report on bulk apart from the rest', async () => {
    const trace = poissonTrace({ ...options, requests: 2_000 }, 500);
    const mixed = withBulk(trace, { rows: 256, everyMs: 600, lengths: GPU.lengths, seed: 9 });
    const report = reportOn(mixed, await play(OURS, mixed), { lanes: 1 });
    expect(mixed.length).toBeGreaterThan(trace.length);
    expect(report).toMatchObject({ served: mixed.length, shortServed: 1, longServed: 1 });
    expect(report.p99Ms).toBeLessThan(50);
  });
});
