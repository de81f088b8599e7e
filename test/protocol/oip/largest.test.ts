import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { classified } from '../../../src/protocol/oip/classification.js';
import { largest } from '../../../src/protocol/oip/largest.js';
import { tensorOf, valuesOf } from '../support.js';

describe('largest', () => {
  it('equals sorting everything, ties by index, NaN last', () => {
    const value = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(NaN, Infinity, -Infinity));
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 30 }),
        fc.integer({ min: 1, max: 35 }),
        fc.nat(3),
        (values, count, from) => {
          const rank = (index: number): number => (Number.isNaN(values[index]) ? -Infinity : values[index]!);
          const order = (a: number, b: number): number =>
            rank(a) === rank(b) ? a - b : rank(a) > rank(b) ? -1 : 1;
          const expected = values
            .map((_, index) => index)
            .sort(order)
            .slice(0, count);
          const padded = [...Array<number>(from).fill(99), ...values, 99];
          expect(largest(padded, from, values.length, count)).toEqual(expected);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('classified', () => {
  it('names value, index and label of each row', async () => {
    const tensor = tensorOf('float32', [2, 3], [0.1, 0.7, 0.2, 5, 5, -1]);
    const best = await classified(tensor, 2, ['a', 'b', 'c']);
    expect([best.dtype, best.dims]).toEqual(['string', [2, 2]]);
    expect(valuesOf(best)).toEqual(['0.7:1:b', '0.2:2:c', '5:0:a', '5:1:b']);
  });

  it('leaves labels out that are not for these values', async () => {
    const tensor = tensorOf('float64', [1, 3], [0.1, 0.7, 0.2]);
    expect(valuesOf(await classified(tensor, 1, ['a', 'b']))).toEqual(['0.7:1']);
    expect(valuesOf(await classified(tensor, 1))).toEqual(['0.7:1']);
  });

  it('prints integers with all their digits, halves as numbers, and each position below axis 0', async () => {
    const integers = tensorOf('int64', [1, 2], [2n ** 53n + 1n, 3n]);
    expect(valuesOf(await classified(integers, 1))).toEqual(['9007199254740993:0']);
    const halves = tensorOf('float16', [1, 2, 1], [0x3c00, 0x4000]);
    expect(valuesOf(await classified(halves, 5))).toEqual(['2:1', '1:0']);
    expect(valuesOf(await classified(tensorOf('float32', [], [3]), 2))).toEqual(['3:0']);
  });

  it('lets others have their turn in between', async () => {
    const rows = 3000;
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await classified({ dtype: 'uint8', dims: [rows, 1000], data: new Uint8Array(rows * 1000) }, 1);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });
});
