import { beforeAll, describe, expect, it } from '@jest/globals';
import type { LaneLayout } from '../../src/executor/cpu-quota.js';
import { lognormalLengths } from '../../src/sim/lengths.js';
import type { TuneReport } from '../../src/tune/report.js';
import { reportText } from '../../src/tune/text.js';
import { tune, type TuneOptions } from '../../src/tune/tune.js';
import { cost, FakeBenches, TEXTS } from './fake-bench.js';

// In Jest's realm the simulator is some forty times slower.
const PLAY = { least: 200, most: 200 };

const run = (
  benches: FakeBenches,
  options: Partial<TuneOptions> = {},
  steps: string[] = [],
): Promise<TuneReport> =>
  tune(
    { budgetMs: 1_000, lengths: lognormalLengths(40, 0.8), sloMs: 50, ...options },
    { cores: 2, open: benches.openBench, onProgress: (step) => steps.push(step), play: PLAY },
  );

/** Two lanes get in each other's way a little; two threads halve nothing but the tokens. */
const usual = ({ count, intraOpThreads }: LaneLayout) =>
  cost(3 * (count > 1 ? 1.1 : 1), 0.02 / (intraOpThreads > 1 ? 1.6 : 1));

describe('tune', () => {
  it('measures each layout, closes each, and recommends what serves most', async () => {
    const benches = new FakeBenches(TEXTS, usual);
    const steps: string[] = [];
    const report = await run(benches, {}, steps);
    expect(benches.opened).toEqual(['2x1', '1x2', '1x1']);
    expect(benches.open).toBe(0);
    expect(steps[0]).toBe('2 lanes × 1 thread: loading');
    const [two] = report.layouts;
    expect(report.recommended.layout).toEqual({ count: 2, intraOpThreads: 1 });
    expect(report.recommended.capacity).toBeGreaterThanOrEqual(two?.capacity.cost ?? Infinity);
    expect(two?.cost.alphaMs).toBeCloseTo(3.3);
    expect(two?.error).toBeLessThan(0.01);
    expect(two?.loneLongMs).toBeCloseTo(3.3 + 0.02 * 128);
    for (const { capacity } of report.layouts) {
      expect(capacity.cost).toBeGreaterThan(capacity.none);
      expect(capacity.cost).toBeGreaterThan(capacity.fifo);
    }
  });

  it('recommends the lane that threads make quicker where lanes stand in each other’s way', async () => {
    const alike = ({ count, intraOpThreads }: LaneLayout) =>
      cost(count > 1 ? 6 : intraOpThreads > 1 ? 2 : 3, count > 1 ? 0.04 : 0.02);
    const { recommended } = await run(new FakeBenches(TEXTS, alike));
    expect(recommended.layout).toEqual({ count: 1, intraOpThreads: 2 });
    expect(recommended.yaml).toContain('count: 1\n  intraOpThreads: 2');
  });

  it.each([
    [{ sloMs: 50 }, { ms: 30, auto: true }, { ms: 50, from: 'option' }, 'sloMs: 50'],
    [{ sloMs: 50 }, { ms: 20, auto: false }, { ms: 50, from: 'option' }, 'sloMs: 50'],
    [{}, { ms: 20, auto: false }, { ms: 20, from: 'config' }, 'sloMs: 20'],
    [{}, { ms: 30, auto: true }, { ms: 30, from: 'auto' }, undefined],
  ] as const)('goes by the SLO %j of %j', async (options, own, slo, line) => {
    const { sloMs } = { sloMs: undefined, ...options };
    const benches = new FakeBenches(TEXTS, usual, own);
    const report = await tune(
      { budgetMs: 1_000, lengths: lognormalLengths(40, 0.8), ...(sloMs === undefined ? {} : { sloMs }) },
      { cores: 1, open: benches.openBench, onProgress: () => undefined, play: PLAY },
    );
    expect(report.slo).toEqual(slo);
    if (line === undefined) expect(report.recommended.yaml).not.toContain('sloMs');
    else expect(report.recommended.yaml).toContain(line);
  });

  it('closes the lanes of a measurement that fails', async () => {
    const benches = new FakeBenches(TEXTS, usual);
    benches.fails = '1x2';
    await expect(run(benches)).rejects.toThrow('the lane was lost');
    expect(benches.open).toBe(0);
    expect(benches.opened).toEqual(['2x1', '1x2']);
  });

  it('measures equal rows by their number, and does not simulate an SLO without end', async () => {
    const model = { ...TEXTS, takesTexts: false, basis: 'rows', maxBatch: 4, growsFreely: false } as const;
    const report = await run(new FakeBenches(model, () => cost(1, 0.0005)), { sloMs: 60_000 });
    expect(report.simulatedSloMs).toBeLessThan(60_000);
    expect(report.gains.byRows?.map(({ rows }) => rows)).toEqual([1, 4]);
    expect(report.gains.byRows?.at(-1)?.gain).toBeCloseTo(4, 1);
    const [two] = report.layouts;
    expect(two?.capacity.cost).toBeGreaterThan(3 * (two?.capacity.none ?? Infinity));
    expect(report).not.toHaveProperty('lengths');
  });
});

describe('tune of a model that is too slow', () => {
  it('says that nothing is served in time, and takes the quickest layout', async () => {
    const report = await run(new FakeBenches(TEXTS, usual), { sloMs: 1 });
    expect(report.layouts.map(({ capacity }) => capacity.cost)).toEqual([0, 0, 0]);
    expect(report.recommended.layout).toEqual({ count: 1, intraOpThreads: 2 });
    expect(reportText(report)).not.toMatch(/NaN|Infinity/);
  });
});

describe('reportText', () => {
  let report: TuneReport;
  beforeAll(async () => {
    report = await run(new FakeBenches(TEXTS, usual));
  });

  it('has a line for each length and layout, and ends with the lines for config.yaml', () => {
    const text = reportText(report);
    expect(text).toMatch(/^m: texts of up to 128 tokens · 2 cores · SLO 50 ms \(--slo\)/);
    for (const length of [8, 16, 32, 64, 128])
      expect(text).toMatch(new RegExp(`^\\| ${length} +\\| \\d`, 'm'));
    for (const layout of ['2 × 1 (best)', '1 × 2', '1 × 1']) expect(text).toContain(`\n| ${layout} `);
    expect(text.endsWith(report.recommended.yaml.trimEnd())).toBe(true);
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('says why rows are not joined, and that a fit is poor', () => {
    expect(reportText(report)).not.toMatch(/is the machine busy|not joined/);
    const poor = { ...report, layouts: report.layouts.map((each) => ({ ...each, error: 0.3 })) };
    expect(reportText(poor)).toContain('is the machine busy?');
    const leaky = { ...report, model: { ...report.model, reason: 'they leak' } };
    expect(reportText(leaky)).toContain('Rows are not joined: they leak');
  });

  it('tells what was not measured', () => {
    const gains = { byLength: [{ length: 512, predicted: { rows: 4, gain: 1.5 } }] };
    expect(reportText({ ...report, gains })).toMatch(/\| 512 +\| not measured +\| not measured +\| 1\.50×/);
  });
});
