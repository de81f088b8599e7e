import { describe, expect, it } from '@jest/globals';
import type { Finding, Measured } from '../../../src/models/invariance/measure.js';
import { classOf, modeAfter } from '../../../src/models/invariance/verdict.js';
import type { BatchMode, InvarianceClass } from '../../../src/models/model-info.js';

const finding = (difference: number, more: Partial<Finding> = {}): Finding => ({
  difference,
  rows: 4,
  position: 1,
  length: 8,
  longest: 8,
  ...more,
});

const measured = (equalLengths: number, padded?: number): Measured => ({
  outputs: [
    { name: 'calm', equalLengths: finding(0), padded: padded === undefined ? undefined : finding(0) },
    {
      name: 'logits',
      equalLengths: finding(equalLengths),
      padded: padded === undefined ? undefined : finding(padded, { longest: 40 }),
    },
  ],
  runs: 30,
  cutShort: false,
});

const DYNAMIC: BatchMode = { mode: 'dynamic' };
const FIXED: BatchMode = { mode: 'fixed', size: 4 };
const ENFORCED = { tolerance: 1e-4, enforced: true, isText: true };

describe('the class of a model', () => {
  it.each<[number, number | undefined, InvarianceClass]>([
    [0, 0, 'any'],
    [1e-4, 1e-4, 'any'],
    [0, undefined, 'any'],
    [0, 1.1e-4, 'equal-lengths'],
    [1.1e-4, undefined, 'one-by-one'],
    [1.1e-4, 0, 'one-by-one'],
    [0.2, 0.5, 'one-by-one'],
    [Infinity, 0, 'one-by-one'],
  ])('that differs by %d among equals and %d padded is %s', (equal, padded, cls) => {
    expect(classOf(measured(equal, padded), 1e-4)).toBe(cls);
  });

  it('goes by the tolerance', () => {
    expect(classOf(measured(0.01, 0.02), 0.1)).toBe('any');
    expect(classOf(measured(0.01, 0.02), 0.015)).toBe('equal-lengths');
  });
});

describe('how it is served', () => {
  it('stays as its shape says where nothing leaks', () => {
    expect(modeAfter(DYNAMIC, measured(1e-7, 2.34567e-6), ENFORCED)).toEqual({
      mode: 'dynamic',
      invariance: {
        class: 'any',
        enforced: true,
        tolerance: 1e-4,
        runs: 30,
        outputs: [
          { name: 'calm', equalLengths: 0, padded: 0 },
          { name: 'logits', equalLengths: 1e-7, padded: 0.00000235 },
        ],
      },
    });
  });

  it.each<[string, BatchMode, number, number, boolean, boolean, object]>([
    ['texts of equal length', DYNAMIC, 0, 0.5, true, true, { mode: 'dynamic' }],
    ['one text at a time', DYNAMIC, 0.2, 0.5, true, true, { mode: 'single' }],
    ['one request at a time', DYNAMIC, 0.2, 0, false, true, { mode: 'single' }],
    ['a whole fixed batch at a time', FIXED, 0.2, 0, false, true, { mode: 'single' }],
    ['one text at a time, filled up to a fixed batch', FIXED, 0.2, 0, true, true, FIXED],
    ['joined all the same', DYNAMIC, 0.2, 0, true, false, { mode: 'dynamic' }],
    ['joined all the same in a fixed batch', FIXED, 0.2, 0, false, false, FIXED],
  ])('%s', (_, mode, equal, padded, isText, enforced, expected) => {
    const { reason, invariance, ...rest } = modeAfter(mode, measured(equal, padded), {
      tolerance: 1e-4,
      enforced,
      isText,
    });
    expect(rest).toEqual(expected);
    expect(reason).toMatch(/^output 'logits' of a row changes by up to/);
    expect(invariance?.enforced).toBe(enforced);
  });

  it('says which output leaks most, how much and where', () => {
    expect(modeAfter(DYNAMIC, measured(0.22849, 0.5), ENFORCED).reason).toBe(
      "output 'logits' of a row changes by up to 0.228 when rows are joined (row 2 of 4; tolerance 0.0001)",
    );
    expect(modeAfter(DYNAMIC, measured(0, 0.5), ENFORCED).reason).toBe(
      "output 'logits' of a row changes by up to 0.500 when rows are joined with rows of other lengths (row 2 of 4, 8 tokens beside 40; tolerance 0.0001)",
    );
  });

  it('says so where there is no distance to tell, or the batch failed', () => {
    const { reason, invariance } = modeAfter(DYNAMIC, measured(Infinity), ENFORCED);
    expect(reason).toMatch(/^output 'logits' of a row changes altogether when rows are joined/);
    expect(invariance?.outputs[1]).toEqual({ name: 'logits', equalLengths: 'unlike', padded: null });
    const failed: Measured = {
      ...measured(0),
      outputs: [
        {
          name: 'y',
          equalLengths: finding(Infinity, { problem: '8 rows together fail: no' }),
          padded: undefined,
        },
      ],
    };
    expect(modeAfter(DYNAMIC, failed, ENFORCED).reason).toBe('8 rows together fail: no');
  });

  it('says where the time was over before all was tried', () => {
    expect(modeAfter(DYNAMIC, { ...measured(0), cutShort: true }, ENFORCED).invariance).toMatchObject({
      cutShort: true,
    });
  });
});
