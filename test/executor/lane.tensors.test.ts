import { describe, expect, it } from '@jest/globals';
import { allocate, type Tensor } from '../../src/tensor.js';
import {
  f32,
  failureOf,
  i64,
  KINDS,
  multiBatch,
  plain,
  rowsOf,
  specOf,
  tensor,
  textsOf,
  valuesAt,
  withLane,
} from '../support/lanes.js';

/** One tensor for each input of dtypes.onnx, in its order, with the values that are easiest to spoil. */
const everyDtype = (): Tensor[] => [
  f32([2, 2], [0.1, -Infinity, NaN, 3.4e38]),
  tensor('float64', [2, 2], Float64Array.of(0.1, -1e308, NaN, 5e-324)),
  // 1, -2, the smallest subnormal, infinity; then what a number type would round.
  tensor('float16', [2, 2], Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00)),
  tensor('int8', [2, 2], Int8Array.of(-128, 127, 0, -1)),
  tensor('int16', [2, 2], Int16Array.of(-32_768, 32_767, 0, -1)),
  tensor('int32', [2, 2], Int32Array.of(-2_147_483_648, 2_147_483_647, 0, -1)),
  i64([2, 2], [9_007_199_254_740_993n, -9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n, 0]),
  tensor('uint8', [2, 2], Uint8Array.of(0, 255, 1, 128)),
  tensor('uint16', [2, 2], Uint16Array.of(0, 65_535, 1, 32_768)),
  tensor('uint32', [2, 2], Uint32Array.of(0, 4_294_967_295, 1, 2_147_483_648)),
  tensor('uint64', [2, 2], BigUint64Array.of(18_446_744_073_709_551_615n, 0n, 9_007_199_254_740_993n, 1n)),
  tensor('bool', [2, 2], Uint8Array.of(1, 0, 0, 1)),
  tensor('string', [2, 2], ['', 'Grüße', '世界 🚗', 'a\nb']),
];

describe.each(KINDS)('tensors in a %s', (kind) => {
  it('come back as they went, in every dtype', () =>
    withLane(kind, async (lane) => {
      const { inputs } = await lane.load(specOf('dtypes'));
      const sent = everyDtype();
      expect(inputs.map(({ dtype }) => dtype)).toEqual(sent.map(({ dtype }) => dtype));
      const { outputs } = await lane.run('dtypes', rowsOf(2, ...sent));
      expect(outputs.map(plain)).toEqual(everyDtype().map(plain));
    }));

  it('stand in the order of the signature, two in and two out', () =>
    withLane(kind, async (lane) => {
      await lane.load(specOf('multi_io'));
      const batch = rowsOf(2, f32([2, 3], [1, 2, 3, 4, 5, 6]), f32([2, 2], [10, 20, 30, 40]));
      const { outputs } = await lane.run('multi_io', batch);
      expect(outputs.map(plain)).toEqual([
        { dtype: 'float32', dims: [2, 1], values: [36, 85] },
        { dtype: 'float32', dims: [2, 3], values: [2, 4, 6, 8, 10, 12] },
      ]);
    }));

  it.each([1, 2, 3, 4])('fill a fixed batch of 4 up from %i rows, and are cut back', (rows) =>
    withLane(kind, async (lane) => {
      await lane.load(specOf('fixed_batch'));
      const values = Array.from({ length: rows * 3 }, (_, i) => i);
      const { outputs } = await lane.run('fixed_batch', rowsOf(rows, f32([rows, 3], values)), 4);
      expect(outputs.map(plain)).toEqual([
        { dtype: 'float32', dims: [rows, 3], values: values.map((value) => value * 3 + 1) },
      ]);
    }),
  );

  it('give a row of texts the same answer alone and beside a longer one', () =>
    withLane(kind, async (lane) => {
      await lane.load(specOf('tiny_text', { text: { padId: 7999 } }));
      const texts = [[5, 17, 3], [42], [2, 7_000, 7, 8, 3, 900, 11]];
      const alone: unknown[] = [];
      for (const text of texts) alone.push(...valuesAt(await lane.run('tiny_text', textsOf(text))));
      const { outputs } = await lane.run('tiny_text', textsOf(...texts));
      expect(outputs.map(plain)).toEqual([{ dtype: 'float32', dims: [3, 2], values: alone }]);
      expect(new Set(alone).size).toBe(6);
    }));

  it('pad on the right, with the padding id of the model', () =>
    withLane(kind, async (lane) => {
      // This model ignores its mask, so that padding shows.
      const ids = (...values: number[]): Tensor => i64([1, values.length], values);
      const byHand = (...values: number[]): ReturnType<typeof rowsOf> =>
        rowsOf(1, ids(...values), ids(...values.map(() => 1)));
      await lane.load(specOf('tiny_text_leaky', { text: { padId: 6 } }));
      const together = valuesAt(await lane.run('tiny_text_leaky', textsOf([5, 17], [1, 2, 3])));
      await lane.load(specOf('tiny_text_leaky', { key: 'raw' }));
      expect(together.slice(0, 2)).toEqual(valuesAt(await lane.run('raw', byHand(5, 17, 6))));
      expect(together.slice(0, 2)).not.toEqual(valuesAt(await lane.run('raw', byHand(5, 17))));
    }));

  it('that a model can not take fail their run and nothing else', () =>
    withLane(kind, async (lane) => {
      await lane.load(specOf('poison'));
      await lane.load(specOf('multi_io'));
      const bad = await failureOf(lane.run('poison', rowsOf(3, i64([3], [1, 99, 2]))));
      expect(bad).toMatch(/^EXECUTION_FAILED: .*out of data bounds/s);
      const shape = await failureOf(
        lane.run('multi_io', rowsOf(1, f32([1, 4], [1, 2, 3, 4]), f32([1, 2], [1, 2]))),
      );
      expect(shape).toMatch(/^EXECUTION_FAILED: .*invalid dimensions/s);
      expect(valuesAt(await lane.run('poison', rowsOf(2, i64([2], [1, 2]))))).toEqual([10.5, 20.5]);
      expect(valuesAt(await lane.run('multi_io', multiBatch()))).toEqual([10]);
    }));

  it('of 600 KB go both ways', () =>
    withLane(kind, async (lane) => {
      await lane.load(specOf('dyn_tail'));
      await lane.load(specOf('dtypes'));
      const steps = 75_000;
      const x = f32(
        [1, steps, 2],
        Array.from({ length: steps * 2 }, (_, i) => (i % 2 === 0 ? 1 : -2)),
      );
      expect(valuesAt(await lane.run('dyn_tail', rowsOf(1, x)))).toEqual([steps, -2 * steps]);
      const rows = 75_000;
      const wide = everyDtype().map(({ dtype, data }): Tensor => {
        const dims = [rows, 2];
        if (Array.isArray(data)) return tensor('string', dims, new Array<string>(rows * 2).fill('ü'));
        return dtype === 'float32'
          ? f32(
              dims,
              Array.from({ length: rows * 2 }, (_, i) => i),
            )
          : empty(dtype, rows);
      });
      const { outputs } = await lane.run('dtypes', rowsOf(rows, ...wide));
      expect(outputs[0]?.data.length).toBe(rows * 2);
      expect([outputs[0]?.data[1], outputs[0]?.data[rows * 2 - 1]]).toEqual([1, rows * 2 - 1]);
      expect(outputs[12]?.data[rows * 2 - 1]).toBe('ü');
    }));
});

const empty = (dtype: Tensor['dtype'], rows: number): Tensor =>
  tensor(dtype, [rows, 2], allocate(dtype, rows * 2));
