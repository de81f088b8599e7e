import { describe, expect, it } from '@jest/globals';
import type { BatchAxis } from '../../src/models/batch-axis.js';
import { sampleRows } from '../../src/models/samples.js';
import { DTYPES, type Tensor, type TensorSpec } from '../../src/tensor.js';
import { plain, type PlainTensor } from '../support/lanes.js';

const input = (
  name: string,
  shape: TensorSpec['shape'],
  dtype: TensorSpec['dtype'] = 'float32',
): TensorSpec => ({
  name,
  dtype,
  shape,
});

const samplesOf = (
  inputs: readonly TensorSpec[],
  dims: Readonly<Record<string, number>> = {},
  axis: BatchAxis['kind'] = 'dynamic',
): Tensor[][][] =>
  [...sampleRows({ inputs, outputs: [] }, dims, axis)].map((set) =>
    set.map((payload) => {
      if (payload.kind !== 'tensors') throw new Error('expected tensors');
      expect(payload.rows).toBe(1);
      return [...payload.inputs];
    }),
  );

const shapesOf = (sets: readonly Tensor[][][]): unknown[] =>
  sets.map(([row]) => row!.map(({ dims }) => [...dims].join('x')).join(' '));

const plainRows = (sets: readonly Tensor[][][]): PlainTensor[] => sets[0]!.map(([tensor]) => plain(tensor!));

describe('made-up rows', () => {
  it('are three that differ, one row each, the same at every load', () => {
    const inputs = [input('a', ['N', 3]), input('b', ['N', 2])];
    const sets = samplesOf(inputs);
    expect(shapesOf(sets)).toEqual(['1x3 1x2']);
    expect(new Set(plainRows(sets).map((row) => row.values.join())).size).toBe(3);
    expect(sets.map((set) => set.map((row) => row.map(plain)))).toEqual(
      samplesOf(inputs).map((set) => set.map((row) => row.map(plain))),
    );
  });

  it.each(DTYPES)('of %s are values that almost any model takes', (dtype) => {
    for (const row of plainRows(samplesOf([input('x', ['N', 40], dtype)]))) {
      expect(row.dtype).toBe(dtype);
      expect(new Set(row.values).size).toBeGreaterThan(1);
      for (const value of row.values) {
        if (dtype === 'string') expect(value).toMatch(/^text \d$/);
        else if (dtype === 'float32' || dtype === 'float64') expect(Math.abs(Number(value))).toBeLessThan(1);
        else expect([0, dtype === 'float16' ? 0x3c00 : 1]).toContain(Number(value));
      }
    }
  });

  it('try sizes for symbolic dimensions, the likeliest first', () => {
    expect(shapesOf(samplesOf([input('x', ['N', 'T', 2])])).slice(0, 3)).toEqual([
      '1x8x2',
      '1x1x2',
      '1x16x2',
    ]);
  });

  it('take the sizes that the card names', () => {
    const inputs = [input('x', ['N', 3, 'H', 'W']), input('y', ['N', 'W'])];
    expect(shapesOf(samplesOf(inputs, { H: 5, W: 7 }))).toEqual(['1x3x5x7 1x7']);
    expect(shapesOf(samplesOf(inputs, { H: 5 })).slice(0, 2)).toEqual(['1x3x5x8 1x8', '1x3x5x1 1x1']);
    // The batch is one row, whatever a card says of it.
    expect(shapesOf(samplesOf(inputs, { N: 9, H: 5, W: 7 }))).toEqual(['1x3x5x7 1x7']);
    expect(shapesOf(samplesOf([input('x', ['N', 'constructor'])])).length).toBeGreaterThan(1);
  });

  it('are one row of a fixed batch, which the lane fills up', () => {
    expect(shapesOf(samplesOf([input('x', [4, 3])], {}, 'fixed'))).toEqual(['1x3']);
  });

  it('without a batch keep every size that is declared', () => {
    const inputs = [input('x', [4, 3]), input('scale', [1]), input('s', []), input('free', ['M', 2])];
    expect(shapesOf(samplesOf(inputs, {}, 'none'))).toEqual(['4x3 1  1x2']);
  });

  it('are made when they are asked for, and not beyond reason', () => {
    const sets = sampleRows({ inputs: [input('x', ['N', 'A', 'B', 'C', 'D'])], outputs: [] }, {}, 'dynamic');
    expect(sets.next()).toMatchObject({ done: false, value: { length: 3 } });
    // 8^4, 1 and 16^4 elements; 32^4 would be a million.
    expect(shapesOf(samplesOf([input('x', ['N', 'A', 'B', 'C', 'D'])]))).toEqual([
      '1x8x8x8x8',
      '1x1x1x1x1',
      '1x16x16x16x16',
    ]);
    // What a file declares is made, however large.
    expect(shapesOf(samplesOf([input('x', ['N', 1_200_000], 'uint8')]))).toEqual(['1x1200000']);
  });
});
