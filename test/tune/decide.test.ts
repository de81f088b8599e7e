import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.js';
import { configLines } from '../../src/tune/config-lines.js';
import { gainsByLength, gainsByRows } from '../../src/tune/gains.js';
import { candidateLayouts } from '../../src/tune/layouts.js';
import {
  chooseKnobs,
  chooseLayout,
  knobsReason,
  largerKnobs,
  layoutReason,
} from '../../src/tune/recommend.js';
import { RunLog } from '../../src/models/run-log.js';
import { makeTempRoot, type TempRoot } from '../support/temp-root.js';
import { TEXTS, timed } from './fake-bench.js';

describe('candidateLayouts', () => {
  it.each([
    [1, '1x1'],
    [2.5, '2x1 1x2 1x1'],
    [4, '4x1 2x2 1x4 1x1'],
    [6, '6x1 3x2 1x6 1x1'],
    [16, '16x1 8x2 4x4 2x8 1x16 1x1'],
    [64, '64x1 32x2 16x4 8x8 1x64 1x1'],
    [0.5, '1x1'],
  ])('of %d cores: %s', (cores, layouts) => {
    const found = candidateLayouts(cores).map(({ count, intraOpThreads }) => `${count}x${intraOpThreads}`);
    expect(found.join(' ')).toBe(layouts);
  });
});

describe('RunLog', () => {
  it('has the median of each shape, small ones first', () => {
    const log = new RunLog();
    const add = (rows: number, longest: number, ...times: number[]): void =>
      times.forEach((ms) => log.add({ rows, tokens: rows * longest, longest }, ms));
    add(2, 8, 3, 100, 2);
    add(1, 8, 1);
    add(1, 16, 5);
    expect(log.shapes.map(({ rows, longest, p50Ms, runs }) => [rows, longest, p50Ms, runs])).toEqual([
      [1, 8, 1, 1],
      [1, 16, 5, 1],
      [2, 8, 3, 3],
    ]);
  });
});

describe('gains', () => {
  const cost = { alphaMs: 1, betaMsPerToken: 0.125, kneeTokens: 0, quadMsPerTokenSquared: 0 };

  it('are measured where rows were, and predicted for each length of the model', () => {
    const shapes = [timed(1, 8, 2), timed(4, 8, 4), timed(8, 8, 16), timed(4, 16, 9)];
    const gains = gainsByLength({ ...TEXTS, maxTokens: 16 }, shapes, cost, { maxBatch: 8, capMs: 100 });
    expect(gains).toMatchObject([
      { length: 8, oneMs: 2, measured: { rows: 4, gain: 2 }, predicted: { rows: 8, gain: 16 / 9 } },
      { length: 16, predicted: { rows: 8, gain: 24 / 17 } },
    ]);
    expect(gains[1]).not.toHaveProperty('measured');
  });

  it('do not count runs beyond half of the SLO or beyond maxBatch', () => {
    const shapes = [timed(1, 8, 2), timed(2, 8, 3), timed(4, 8, 4), timed(8, 8, 5)];
    const at = (maxBatch: number, capMs: number) =>
      gainsByLength({ ...TEXTS, maxTokens: 8 }, shapes, cost, { maxBatch, capMs })[0];
    expect(at(8, 100)?.measured?.rows).toBe(8);
    expect(at(4, 100)?.measured?.rows).toBe(4);
    expect(at(8, 3)).toMatchObject({ measured: { rows: 2 }, predicted: { rows: 2 } });
    expect(at(8, 1)).toMatchObject({ measured: { rows: 1, gain: 1 }, predicted: { rows: 1, gain: 1 } });
  });

  it('of equal rows are listed by rows', () => {
    const model = { ...TEXTS, takesTexts: false, basis: 'rows' } as const;
    const shapes = [timed(1, 1, 1), timed(4, 1, 2), timed(8, 1, 4)];
    const gains = gainsByRows(model, shapes, cost, { maxBatch: 64, capMs: 3 });
    expect(gains.map(({ rows, ms, gain }) => [rows, ms, gain])).toEqual([
      [1, 1, 1],
      [4, 2, 2],
    ]);
    expect(gains[1]?.predicted).toBeCloseTo((4 * 1.125) / 1.5);
  });
});

const candidate = (count: number, intraOpThreads: number, cost: number, loneLongMs: number) => ({
  layout: { count, intraOpThreads },
  capacity: { cost },
  loneLongMs,
});

describe('chooseLayout', () => {
  it('takes most capacity', () => {
    const all = [candidate(2, 1, 1000, 9), candidate(1, 2, 900, 5)];
    expect(chooseLayout(all)).toBe(all[0]);
    expect(layoutReason(chooseLayout(all), all, 'texts/s within 50 ms')).toBe(
      '2 lanes × 1 thread: most capacity, 1000 texts/s within 50 ms, 1.11× of 1 lane × 2 threads.',
    );
  });

  it('takes the quicker for a lone caller of those within 3 %', () => {
    const all = [candidate(2, 1, 1000, 9), candidate(1, 2, 980, 5), candidate(1, 1, 960, 1)];
    expect(chooseLayout(all)).toBe(all[1]);
    expect(layoutReason(chooseLayout(all), all, 'texts/s within 50 ms')).toBe(
      '1 lane × 2 threads: within 3 % of the most capacity, 980 texts/s within 50 ms, and the quickest of those (5 ms for a lone caller, 2 lanes × 1 thread 9 ms).',
    );
  });
});

describe('chooseKnobs', () => {
  const now = { knobs: { maxBatch: 64, maxBatchTokens: 16_384 }, capacity: 100 };
  const choose = (gains: Record<number, number>) =>
    chooseKnobs(now, largerKnobs(TEXTS), ({ maxBatch, maxBatchTokens }) =>
      Promise.resolve(100 * (gains[maxBatchTokens] ?? gains[maxBatch] ?? 1)),
    );

  it('leaves the limits where larger ones gain less than 3 %', async () => {
    const chosen = await choose({ 128: 1.02, 256: 1.02, 65_536: 1.03 });
    expect(chosen).toBe(now);
    expect(knobsReason(now, chosen)).toBe('');
  });

  it('takes larger ones that do gain, and says what', async () => {
    const chosen = await choose({ 128: 1.2, 256: 1.22, 65_536: 1.22 });
    expect(chosen.knobs).toEqual({ maxBatch: 128, maxBatchTokens: 16_384 });
    expect(knobsReason(now, chosen)).toBe('Runs of up to 128 rows serve 1.20× of that.');
    expect((await choose({ 65_536: 2 })).knobs).toEqual({ maxBatch: 256, maxBatchTokens: 65_536 });
  });

  it('has none to try where rows are not joined freely, and no more tokens than rows can have', () => {
    expect(largerKnobs({ ...TEXTS, growsFreely: false })).toEqual([]);
    expect(largerKnobs({ ...TEXTS, maxTokens: 32 }).map(({ maxBatch }) => maxBatch)).toEqual([128, 256]);
  });
});

describe('configLines', () => {
  let root: TempRoot;
  beforeEach(async () => {
    root = await makeTempRoot();
  });
  afterEach(() => root.remove());

  const load = async (model: string, settings: Parameters<typeof configLines>[1]) => {
    const yaml = configLines(model, settings);
    await root.write('config.yaml', yaml);
    const { config } = loadConfig({ file: join(root.path, 'config.yaml'), env: {} });
    return { yaml, config };
  };
  const layout = { count: 3, intraOpThreads: 2 };

  it('hold nothing but lanes where all else is as by default', async () => {
    const { yaml, config } = await load('m', { layout, knobs: { maxBatch: 64, maxBatchTokens: 16_384 } });
    expect(yaml).toBe('lanes:\n  count: 3\n  intraOpThreads: 2\n');
    expect(config.lanes).toMatchObject(layout);
  });

  it.each(['spam', 'no: yaml', '1', '__proto__', '*'])('are read back for a model named %s', async (name) => {
    const knobs = { maxBatch: 128, maxBatchTokens: 65_536 };
    const { config } = await load(name, { layout, sloMs: 12.5, knobs });
    expect([...config.models.overrides]).toEqual([[name, { batching: { sloMs: 12.5, ...knobs } }]]);
  });

  it('are for every model where the name is a key of models', async () => {
    const { config } = await load('root', { layout, knobs: { maxBatch: 128, maxBatchTokens: 16_384 } });
    expect(config.batching.maxBatch).toBe(128);
    expect(config.models.overrides.size).toBe(0);
  });
});
