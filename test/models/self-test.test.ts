import { describe, expect, it } from '@jest/globals';
import { CarpoolError } from '../../src/errors.js';
import type { Payload } from '../../src/executor/join.js';
import type { LaneBatch } from '../../src/executor/protocol.js';
import type { BatchAxis } from '../../src/models/batch-axis.js';
import { selfTest, type SelfTest } from '../../src/models/self-test.js';
import type { Tensor } from '../../src/tensor.js';
import { f32, failureOf } from '../support/lanes.js';

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
  readonly fills?: (number | undefined)[];
}

const test = (
  model: Model,
  { axis = DYNAMIC, candidates = [ROWS], fills }: Options = {},
): Promise<SelfTest> =>
  selfTest({
    signature: { inputs: [], outputs: [{ name: 'y', dtype: 'float32', shape: ['N'] }] },
    axis,
    candidates,
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

const same: Model = (firsts) => f32([firsts.length], firsts);

describe('the self-test', () => {
  it('lets rows be joined that come out as many as they went in', async () => {
    expect(await test(same)).toEqual({ mode: { mode: 'dynamic' }, samples: ROWS });
  });

  it.each<[string, Model, string]>([
    ['no axis 0', () => f32([], [1]), "output 'y' has shape [] for 3 rows: no batch dimension"],
    ['one row always', () => f32([1], [1]), "output 'y' has shape [1] for 3 rows: no batch dimension"],
    [
      'more rows than came',
      (firsts, rows) => f32([rows === 3 ? 3 : 2], rows === 3 ? firsts : [1, 1]),
      "output 'y' has shape [2] for 1 row: no batch dimension",
    ],
  ])('keeps rows apart where an output has %s', async (_, model, reason) => {
    const { mode } = await test(model);
    expect(mode).toMatchObject({ mode: 'single', reason: expect.stringContaining(reason) as unknown });
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

  it('that does not carry the batch is warmed with a whole one: nothing fills it up any more', async () => {
    const frozen: Model = () => f32([5], [0, 0, 0, 0, 0]);
    const { mode, samples } = await test(frozen, { axis: { kind: 'fixed', size: 5 } });
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
