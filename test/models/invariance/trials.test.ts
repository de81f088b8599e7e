import { describe, expect, it } from '@jest/globals';
import { AT_LOAD, planOf, type Effort, type Limits } from '../../../src/models/invariance/effort.js';
import { tensorRows, textRows, type ProbeRow } from '../../../src/models/invariance/rows.js';
import { trialsOf, type Trial } from '../../../src/models/invariance/trials.js';
import { f32, i64, plain } from '../../support/lanes.js';

const THOROUGH: Effort = { budgetMs: Infinity, thorough: true };
const TEXTS = [
  [2, 11, 12, 13, 3],
  [2, 14, 3],
  [2, 15, 16, 3],
].map((ids) => Int32Array.from(ids));
const idsOf = ({ payload }: ProbeRow): number[] => (payload.kind === 'text' ? [...payload.ids] : []);

const trials = (effort: Effort, limits: Partial<Limits> = {}): Trial[] => [
  ...trialsOf(
    planOf(effort, { rows: 64, tokens: 16_384, longest: 128, values: 128, ...limits }, (seed) =>
      textRows(TEXTS, seed),
    ),
  ),
];
const lengthsOf = (trial: Trial): number[] => [...new Set(trial.map(({ length }) => length))];
const isPadded = (trial: Trial): boolean => lengthsOf(trial).length > 1;
const sizesOf = (some: readonly Trial[]): number[] => [...new Set(some.map((trial) => trial.length))];

describe('rows of text', () => {
  it('have exactly the length, between the first and the last token of a text', () => {
    const make = textRows(TEXTS, 1);
    for (const length of [3, 8, 100]) {
      const ids = idsOf(make(length, 1));
      expect(ids).toHaveLength(length);
      expect([ids[0], ids.at(-1)]).toEqual([2, 3]);
      for (const id of ids.slice(1, -1)) expect([11, 12, 13, 14, 15, 16]).toContain(id);
    }
    expect([make(1, 0), make(2, 0)].map((row) => idsOf(row).length)).toEqual([1, 2]);
    // A vocabulary whose texts are nothing but special tokens.
    expect(idsOf(textRows([Int32Array.of(2, 3)], 1)(4, 0))).toHaveLength(4);
  });

  it('differ from each other, and are the same every time', () => {
    const long = [Int32Array.from({ length: 100 }, (_, i) => i)];
    const rows = (seed: number): string[] =>
      [0, 1, 2, 3].map((n) => idsOf(textRows(long, seed)(20, n)).join());
    expect(new Set(rows(1)).size).toBe(4);
    expect(rows(1)).toEqual(rows(1));
    expect(rows(1)).not.toEqual(rows(2));
    const make = textRows(TEXTS, 1);
    expect(make(20, 0)).toBe(make(20, 0));
  });
});

describe('rows of tensors', () => {
  it('have the shapes and dtypes of the sample, and floats of several magnitudes', () => {
    const make = tensorRows({ kind: 'tensors', rows: 4, inputs: [f32([4, 40], []), i64([4], [])] }, 1);
    const rows = [0, 1, 2].map((n) => make(1, n).payload);
    const largest = rows.map((row) => {
      if (row.kind === 'text') throw new Error('expected tensors');
      const [x, y] = row.inputs.map(plain);
      expect([row.rows, x?.dims, x?.dtype, y?.dims, y?.dtype]).toEqual([1, [1, 40], 'float32', [1], 'int64']);
      return Math.max(...x!.values.map(Number));
    });
    expect(largest[1]).toBeGreaterThan(4 * largest[0]!);
    expect(largest[2]).toBeLessThan(largest[0]! / 4);
  });
});

describe('the trials at load', () => {
  it('are few, lone runs included', () => {
    const all = trials(AT_LOAD);
    const lone = new Set(all.flat());
    expect(all.length + lone.size).toBeLessThanOrEqual(40);
  });

  it('begin with pairs, of equal lengths and padded', () => {
    const sizes = trials(AT_LOAD).map((trial) => trial.length);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    const pairs = trials(AT_LOAD).filter((trial) => trial.length === 2);
    expect(new Set(pairs.map(isPadded))).toEqual(new Set([true, false]));
  });

  it('have rows first, last and in the middle, beside longer and shorter ones, in several sizes', () => {
    const all = trials(AT_LOAD);
    expect(sizesOf(all.filter(isPadded))).toEqual([2, 4, 8]);
    expect(sizesOf(all.filter((trial) => !isPadded(trial)))).toEqual([2, 4, 8]);
    const places = new Map<ProbeRow, Set<number>>();
    for (const trial of all)
      for (const [at, row] of trial.entries()) places.set(row, (places.get(row) ?? new Set()).add(at));
    for (const where of places.values()) expect(where.size).toBeGreaterThan(1);
    const longests = all.filter(isPadded).map((trial) => trial.findIndex(({ length }) => length === 40));
    expect(new Set(longests)).toEqual(new Set([0, 1, 3, 7]));
  });

  it.each<[string, Partial<Limits>, number[], number]>([
    ['the largest batch', { rows: 4 }, [2, 4], 40],
    ['the longest text', { longest: 10 }, [2, 4, 8], 10],
    ['the most tokens', { tokens: 170 }, [2, 4, 8], 40],
  ])('keep within %s', (_, limits, sizes, longest) => {
    const all = trials(AT_LOAD, limits);
    expect(sizesOf(all)).toEqual(sizes);
    expect(Math.max(...all.flatMap(lengthsOf))).toBe(longest);
    for (const trial of all)
      if (trial.length > 2)
        expect(trial.length * Math.max(...lengthsOf(trial))).toBeLessThanOrEqual(limits.tokens ?? 16_384);
  });

  it('of tensors are never padded', () => {
    const all = trials(AT_LOAD, { longest: undefined });
    expect(all.length).toBeGreaterThan(0);
    expect(all.some(isPadded)).toBe(false);
  });

  it('of large tensors have few rows, whose answers are kept', () => {
    const rows = (values: number): number =>
      new Set(trials(AT_LOAD, { longest: undefined, values }).flat()).size;
    expect([rows(100_000), rows(100_001)]).toEqual([12, 3]);
  });

  it('are none where a batch holds one row', () => {
    expect(trials(AT_LOAD, { rows: 1 })).toEqual([]);
    expect(trials(THOROUGH, { rows: 1 })).toEqual([]);
  });
});

describe('the thorough trials', () => {
  it('reach the largest batch and the longest text, at all lengths and from several seeds', () => {
    const all = trials(THOROUGH, { rows: 50, longest: 100 });
    expect(sizesOf(all)).toEqual([2, 3, 4, 8, 16, 32, 50]);
    expect(new Set(all.flatMap(lengthsOf))).toEqual(new Set([4, 8, 16, 32, 64, 100]));
    const pairs = all.filter((trial) => trial.length === 2 && trial[0]?.length === 8 && !isPadded(trial));
    expect(new Set(pairs.flat()).size).toBe(3 * 2);
  });

  it('have the long row first, last and in the middle', () => {
    const padded = trials(THOROUGH).filter((trial) => trial.length === 8 && isPadded(trial));
    const places = padded.map((trial) => {
      const longest = Math.max(...lengthsOf(trial));
      return trial.findIndex(({ length }) => length === longest);
    });
    expect(new Set(places)).toEqual(new Set([0, 4, 7]));
  });
});
