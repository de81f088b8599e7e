import { describe, expect, it } from '@jest/globals';
import { CarpoolError } from '../../../src/errors.js';
import type { Payload } from '../../../src/executor/join.js';
import { measure, type Measured } from '../../../src/models/invariance/measure.js';
import type { ProbeRow } from '../../../src/models/invariance/rows.js';
import type { Trial } from '../../../src/models/invariance/trials.js';
import { f32, failureOf } from '../../support/lanes.js';

/** A row of `length` ids that begins with `id`. */
const row = (id: number, length = 4): ProbeRow => {
  const ids = Int32Array.from({ length }, () => id);
  return { payload: { kind: 'text', ids }, length };
};
const [A, B, C, LONG] = [row(1), row(2), row(3), row(9, 10)];

/** A model: a row and its batch -> its value. */
type Model = (id: number, batch: readonly number[], longest: number, position: number) => number;

interface FakeLane {
  readonly run: (payloads: readonly Payload[]) => Promise<{
    outputs: ReturnType<typeof f32>[];
    runMs: number;
    laneMs: number;
  }>;
  readonly batches: number[][];
}

/** One output `y`, and `x` that is always right; a run takes a millisecond a token. */
const lane = (model: Model, rowsOut = (rows: number): number => rows): FakeLane => {
  const batches: number[][] = [];
  return {
    batches,
    run: async (payloads) => {
      const texts = payloads.flatMap((payload) => (payload.kind === 'text' ? [payload.ids] : []));
      const ids = texts.map((text) => text[0] ?? 0);
      const longest = Math.max(...texts.map((text) => text.length));
      batches.push(ids);
      const values = ids.map((id, position) => model(id, ids, longest, position));
      return Promise.resolve({
        outputs: [f32([rowsOut(ids.length)], values), f32([ids.length], ids)],
        runMs: 0,
        laneMs: ids.length * longest,
      });
    },
  };
};

const measured = (
  model: Model | FakeLane,
  trials: readonly Trial[],
  budgetMs = Infinity,
): Promise<Measured> =>
  measure({
    outputs: ['y', 'x'],
    trials,
    budgetMs,
    run: (typeof model === 'function' ? lane(model) : model).run,
  });

const ALL: readonly Trial[] = [
  [A, B],
  [B, A],
  [A, B, C],
  [A, LONG],
  [LONG, B, A],
];

describe('measuring', () => {
  it('finds nothing where rows do not change each other', async () => {
    const { outputs, cutShort } = await measured((id) => id / 7, ALL);
    expect(outputs).toMatchObject([
      { name: 'y', equalLengths: { difference: 0 }, padded: { difference: 0 } },
      { name: 'x', equalLengths: { difference: 0 }, padded: { difference: 0 } },
    ]);
    expect(cutShort).toBe(false);
  });

  it('finds the largest difference among equal lengths, with its place', async () => {
    // Only beside C, and only the second row.
    const model: Model = (id, batch, _, at) => id + (batch.includes(3) && at === 1 ? 3 : 0);
    const { outputs } = await measured(model, [
      [A, B],
      [A, B, C],
      [C, A],
    ]);
    expect(outputs[0]?.equalLengths).toEqual({ difference: 3, rows: 2, position: 1, length: 4, longest: 4 });
    expect(outputs[0]?.padded).toBeUndefined();
    expect(outputs[1]?.equalLengths?.difference).toBe(0);
  });

  it('tells padding from company', async () => {
    const model: Model = (id, _, longest) => id * 0.125 + (longest > 4 && id !== 9 ? 0.25 : 0);
    const { outputs } = await measured(model, ALL);
    expect(outputs[0]?.equalLengths?.difference).toBe(0);
    expect(outputs[0]?.padded).toEqual({ difference: 0.25, rows: 2, position: 0, length: 4, longest: 10 });
  });

  it('compares the long row too, whose neighbours are padded', async () => {
    const model: Model = (id, batch) => (id === 9 && batch.length > 1 ? 0.5 : 0);
    const { outputs } = await measured(model, [[A, LONG]]);
    expect(outputs[0]?.padded).toMatchObject({ difference: 0.5, position: 1, length: 10, longest: 10 });
  });

  it('runs each row alone once', async () => {
    const fake = lane((id) => id);
    const { runs } = await measured(fake, ALL);
    expect(fake.batches.filter((batch) => batch.length === 1)).toEqual([[1], [2], [3], [9]]);
    expect(runs).toBe(4 + ALL.length);
  });

  it('takes a batch that fails, although its rows run, for a leak', async () => {
    const model: Model = (id, batch) => {
      if (batch.length > 2) throw new Error('too many');
      return id;
    };
    const { outputs } = await measured(model, ALL);
    expect(outputs[0]?.equalLengths).toMatchObject({
      difference: Infinity,
      problem: '3 rows together fail: too many',
    });
  });

  it('takes an output of another number of rows for a leak', async () => {
    const fake = lane(
      (id) => id,
      (rows) => Math.min(rows, 2),
    );
    const { outputs } = await measured(fake, ALL);
    expect(outputs[0]?.equalLengths).toMatchObject({
      difference: Infinity,
      problem: "output 'y' has shape [2] for 3 rows: no batch dimension",
    });
    expect(outputs[1]?.equalLengths?.difference).toBe(0);
  });

  it('leaves out rows that do not run alone', async () => {
    const model: Model = (id) => {
      if (id === 2) throw new Error('out of range');
      return id;
    };
    const fake = lane(model);
    const { outputs } = await measured(fake, [
      [A, B],
      [A, B, C],
    ]);
    expect(fake.batches.filter((batch) => batch.length > 1)).toEqual([[1, 3]]);
    expect(outputs[0]?.equalLengths?.difference).toBe(0);
  });

  it('takes it for a leak where no two rows run, for then nothing is known', async () => {
    const none: Model = () => {
      throw new Error('out of range');
    };
    const { outputs } = await measured(none, [[A, B]]);
    expect(outputs[0]?.equalLengths).toMatchObject({
      difference: Infinity,
      problem: expect.stringMatching(/^no made-up rows were found that run/) as unknown,
    });
    expect(outputs[0]?.padded).toBeUndefined();
  });

  it('keeps within its time, but for one batch of each kind', async () => {
    const fake = lane((id) => id);
    const { cutShort } = await measured(fake, ALL, 1);
    expect(fake.batches.filter((batch) => batch.length > 1)).toEqual([
      [1, 2],
      [1, 9],
    ]);
    expect(cutShort).toBe(true);
  });

  it('goes on with what still fits when something does not', async () => {
    const many: Trial = Array.from({ length: 50 }, (_, i) => row(100 + i));
    const fake = lane((id) => id);
    // 8 ms for two alone and 8 for the pair; the fifty would take 400, the next pair 8.
    expect((await measured(fake, [[A, B], many, [B, A]], 30)).cutShort).toBe(true);
    expect(fake.batches.filter((batch) => batch.length > 1)).toEqual([
      [1, 2],
      [2, 1],
    ]);
  });

  it.each(['WORKER_LOST', 'MODEL_UNAVAILABLE'] as const)(
    'blames no model for a lane that dies: %s',
    async (code) => {
      const lost: Model = () => {
        throw new CarpoolError(code, 'killed');
      };
      expect(await failureOf(measured(lost, ALL))).toBe(`${code}: killed`);
      const together: Model = (id, batch) => (batch.length > 1 ? lost(id, batch, 0, 0) : id);
      expect(await failureOf(measured(together, ALL))).toBe(`${code}: killed`);
    },
  );
});
