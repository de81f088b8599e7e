import { describe, expect, it } from '@jest/globals';
import { halfPacker } from '../../src/codec/half.js';
import { CarpoolError } from '../../src/errors.js';
import type { Payload } from '../../src/executor/join.js';
import type { LaneBatch } from '../../src/executor/protocol.js';
import type { BatchAxis } from '../../src/models/batch-axis.js';
import { selfTest, type SelfTest } from '../../src/models/self-test.js';
import type { DType, Tensor, TensorData } from '../../src/tensor.js';
import { f32, failureOf, tensor } from '../support/lanes.js';

const row = (...values: number[]): Payload => ({
  kind: 'tensors',
  rows: 1,
  inputs: [f32([1, values.length], values)],
});
const ROWS: readonly Payload[] = [row(1, 2), row(3, 5), row(-4, 6)];
const DYNAMIC: BatchAxis = { kind: 'dynamic' };

const xOf = (batch: LaneBatch): { rows: number; x: number[] } => {
  if (batch.kind === 'texts') throw new Error('expected tensors');
  const { dims, data } = batch.inputs[0]!;
  return { rows: dims[0] ?? 0, x: Array.from(data, Number) };
};

/** A model: the first columns of its rows -> its output `y`. */
type Model = (firsts: readonly number[], rows: number) => Tensor;

interface Options {
  readonly axis?: BatchAxis;
  readonly candidates?: Iterable<readonly Payload[]>;
  readonly tolerance?: number;
  readonly fills?: (number | undefined)[];
}

const test = (
  model: Model,
  { axis = DYNAMIC, candidates = [ROWS], tolerance = 1e-4, fills }: Options = {},
): Promise<SelfTest> =>
  selfTest({
    signature: { inputs: [], outputs: [{ name: 'y', dtype: 'float32', shape: ['N'] }] },
    axis,
    candidates,
    tolerance,
    run: async (batch, fillTo) => {
      fills?.push(fillTo);
      const { rows, x } = xOf(batch);
      const output = model(
        x.filter((_, i) => i % 2 === 0),
        rows,
      );
      return Promise.resolve({ outputs: [output], runMs: 0, laneMs: 0 });
    },
  });

const column = (dtype: DType, data: TensorData): Tensor => tensor(dtype, [data.length], data);
const same: Model = (firsts) => column('float32', Float32Array.from(firsts));

/** Each row's value, a little off when it rides with others. */
const drifting =
  (dtype: DType, make: (values: readonly number[]) => TensorData, alone: number, together: number): Model =>
  (firsts) =>
    column(dtype, make(firsts.map(() => (firsts.length === 1 ? alone : together))));

const halves = (words: readonly number[]): Uint16Array => Uint16Array.from(words);
const half = halfPacker();

describe('the self-test', () => {
  it('lets rows be joined that do not change each other', async () => {
    expect(await test(same)).toEqual({ mode: { mode: 'dynamic' }, samples: ROWS });
  });

  it('keeps rows apart that change each other, wherever they stand', async () => {
    const mean: Model = (firsts) => {
      const average = firsts.reduce((sum, x) => sum + x, 0) / firsts.length;
      return column(
        'float32',
        Float32Array.from(firsts, (x) => x - average),
      );
    };
    expect(await test(mean)).toMatchObject({
      mode: {
        mode: 'single',
        reason: "output 'y' of a row changes by up to 1.00 when rows are joined (tolerance 0.0001)",
      },
      samples: ROWS,
    });
    // Right for the rows in their first order only.
    const byPlace: Model = (firsts) =>
      column(
        'float32',
        Float32Array.from(firsts, (x, i) => (firsts.length > 1 && i === 0 ? 1 : x)),
      );
    expect((await test(byPlace)).mode.mode).toBe('single');
    const swapped: Model = (firsts) => column('float32', Float32Array.from(firsts.toReversed()));
    expect((await test(swapped)).mode.mode).toBe('single');
  });

  it.each<[string, DType, (values: readonly number[]) => TensorData, number, number, boolean]>([
    ['float32 within the tolerance', 'float32', (v) => Float32Array.from(v), 0.5, 0.50009, true],
    ['float32 beyond it', 'float32', (v) => Float32Array.from(v), 0.5, 0.5002, false],
    ['large float64 within it, relatively', 'float64', (v) => Float64Array.from(v), 1e6, 1e6 + 90, true],
    ['large float64 beyond it', 'float64', (v) => Float64Array.from(v), 1e6, 1e6 + 200, false],
    ['NaN both times', 'float32', (v) => Float32Array.from(v), NaN, NaN, true],
    ['NaN only together', 'float32', (v) => Float32Array.from(v), 1, NaN, false],
    ['infinity both times', 'float32', (v) => Float32Array.from(v), Infinity, Infinity, true],
    ['infinity of the other sign', 'float32', (v) => Float32Array.from(v), Infinity, -Infinity, false],
    ['infinity only together', 'float32', (v) => Float32Array.from(v), 1, Infinity, false],
    ['float16 one step apart', 'float16', halves, half(1), half(1) + 1, true],
    ['large float16 one step apart', 'float16', halves, half(1000), half(1000) + 1, true],
    ['float16 a hundredth apart', 'float16', halves, half(1), half(1.01), false],
    ['float16 of the other sign', 'float16', halves, half(1), half(-1), false],
    ['float16 zeros of either sign', 'float16', halves, half(0), half(-0), true],
    ['large integers one apart', 'int32', (v) => Int32Array.from(v), 1_000_000, 1_000_001, false],
    ['equal integers', 'uint8', (v) => Uint8Array.from(v), 7, 7, true],
    ['int64 one apart', 'int64', (v) => BigInt64Array.from(v, (x) => 2n ** 60n + BigInt(x)), 0, 1, false],
    ['booleans', 'bool', (v) => Uint8Array.from(v), 0, 1, false],
    ['strings', 'string', (v) => v.map(String), 0, 1, false],
    ['equal strings', 'string', (v) => v.map(String), 1, 1, true],
  ])('for %s', async (_, dtype, make, alone, together, joined) => {
    const { mode } = await test(drifting(dtype, make, alone, together));
    expect(mode.mode).toBe(joined ? 'dynamic' : 'single');
  });

  it('goes by the tolerance of the card', async () => {
    const model = drifting('float32', (v) => Float32Array.from(v), 1, 1.05);
    expect((await test(model, { tolerance: 0.1 })).mode.mode).toBe('dynamic');
    expect((await test(model, { tolerance: 0.01 })).mode.mode).toBe('single');
  });

  it.each<[string, Model, string]>([
    ['no axis 0', () => f32([], [1]), "output 'y' has shape [] for 3 rows: no batch dimension"],
    ['one row always', () => f32([1], [1]), "output 'y' has shape [1] for 3 rows: no batch dimension"],
    [
      'more rows than came',
      (firsts, rows) => f32([rows === 3 ? 3 : 2], rows === 3 ? firsts : [1, 1]),
      "output 'y' has shape [2] for 1 row: no batch dimension",
    ],
    [
      'another dtype',
      (firsts, rows) => column(rows === 1 ? 'int8' : 'uint8', Uint8Array.from(firsts, Math.abs)),
      'Infinity',
    ],
    [
      'less of it',
      (firsts, rows) => f32([rows, rows === 1 ? 2 : 1], rows === 1 ? [1, 1] : firsts),
      'Infinity',
    ],
  ])('keeps rows apart where an output has %s', async (_, model, reason) => {
    const { mode } = await test(model);
    expect(mode).toMatchObject({ mode: 'single', reason: expect.stringContaining(reason) as unknown });
  });

  it('compares the part that a row alone has, where others make it longer', async () => {
    const ragged: Model = (firsts, rows) =>
      f32([rows, rows === 1 ? 1 : 2], rows === 1 ? firsts : firsts.flatMap((x) => [x, 99]));
    expect((await test(ragged)).mode.mode).toBe('dynamic');
  });

  it('takes the first rows that run', async () => {
    const wide = [row(1, 1, 1, 1), row(2, 2, 2, 2), row(3, 3, 3, 3)];
    const picky: Model = (firsts, rows) => {
      if (firsts.length > rows) throw new Error('expected 2 columns');
      return same(firsts, rows);
    };
    expect((await test(picky, { candidates: [wide, ROWS] })).samples).toBe(ROWS);
    const none = await test(picky, { candidates: [wide] });
    expect(none).toEqual({
      mode: { mode: 'single', reason: 'the self-test found no input that runs: expected 2 columns' },
      samples: [],
    });
    const axis: BatchAxis = { kind: 'none', reason: "input 's' is a scalar" };
    const { reason } = (await test(picky, { candidates: [wide], axis })).mode;
    expect(reason).toMatch(/^input 's' is a scalar; the self-test found no input that runs/);
    expect((await test(same, { candidates: [] })).mode.reason).toMatch(/none was made/);
  });

  it('says why rows that can not be joined are not', async () => {
    const axis: BatchAxis = { kind: 'none', reason: 'no batch' };
    expect(await test(same, { axis })).toEqual({
      mode: { mode: 'single', reason: 'no batch' },
      samples: ROWS,
    });
    const { mode, samples } = await test((firsts, rows) => {
      if (rows > 1) throw new Error('too many');
      return same(firsts, rows);
    });
    expect(mode).toEqual({ mode: 'single', reason: '3 rows together fail: too many' });
    expect(samples).toBe(ROWS);
  });

  it('blames no model for a lane that dies', async () => {
    const lost = new CarpoolError('WORKER_LOST', 'killed');
    const always: Model = () => {
      throw lost;
    };
    const together: Model = (firsts, rows) => (rows > 1 ? always(firsts, rows) : same(firsts, rows));
    expect(await failureOf(test(always))).toBe('WORKER_LOST: killed');
    expect(await failureOf(test(together))).toBe('WORKER_LOST: killed');
  });
});

describe('the self-test of a fixed batch', () => {
  it.each([
    [1, 1],
    [2, 2],
    [4, 3],
  ])('of %i runs up to %i rows together, filled up', async (size, most) => {
    const fills: (number | undefined)[] = [];
    const counts = new Set<number>();
    const model: Model = (firsts, rows) => {
      counts.add(rows);
      return same(firsts, rows);
    };
    const result = await test(model, { axis: { kind: 'fixed', size }, fills });
    expect(result).toEqual({ mode: { mode: 'fixed', size }, samples: ROWS });
    expect(new Set(fills)).toEqual(new Set([size]));
    expect(Math.max(...counts)).toBe(most);
  });

  it('whose rows change each other is warmed with a whole one: nothing fills it up any more', async () => {
    const sum: Model = (firsts) => {
      const total = firsts.reduce((all, x) => all + x, 0);
      return column(
        'float32',
        Float32Array.from(firsts, () => total),
      );
    };
    const { mode, samples } = await test(sum, { axis: { kind: 'fixed', size: 5 } });
    expect(mode.mode).toBe('single');
    expect(samples).toEqual([
      { kind: 'tensors', rows: 5, inputs: [f32([5, 2], [1, 2, 3, 5, -4, 6, -4, 6, -4, 6])] },
    ]);
    const failing: Model = (firsts, rows) => {
      if (rows > 1) throw new Error('no');
      return same(firsts, rows);
    };
    expect((await test(failing, { axis: { kind: 'fixed', size: 5 } })).samples).toEqual([]);
  });
});
