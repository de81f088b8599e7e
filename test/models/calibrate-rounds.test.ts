import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { costMs, type RunShape } from '#batcher';
import { calibrate, type CalibrationDeps } from '../../src/models/calibrate.js';
import type { Lane } from '../../src/executor/lane.js';
import type { LaneBatch } from '../../src/executor/protocol.js';
import { FakeClock } from '../support/fake-clock.js';

const COST = { alphaMs: 1, betaMsPerToken: 0.1, kneeTokens: 0, quadMsPerTokenSquared: 0 };
/** As `settled` has them: rows, length, milliseconds. */
const COSTS = [
  [1, 8, 1.8],
  [1, 16, 2.6],
  [2, 8, 2.6],
  [2, 16, 4.2],
];
const costOf = ({ tokens, longest }: RunShape): number => costMs(COST, tokens, longest);

/** Runs of a model that takes texts of up to 16 tokens and costs as above; a lane is never touched. */
const play = async (more: Partial<CalibrationDeps> = {}) => {
  const observed: [tokens: number, ms: number][] = [];
  const settled: [rows: number, longest: number, ms: number][][] = [];
  const deps: CalibrationDeps = {
    key: 'm#1',
    cost: {
      basis: 'padded',
      predict: costOf,
      observe: ({ tokens }, ms) => observed.push([tokens, ms]),
      calibrated: (samples) => settled.push(samples.map(({ shape, ms }) => [shape.rows, shape.longest, ms])),
    },
    clock: { now: () => 0, callAt: () => () => undefined },
    samples: [{ kind: 'text', ids: Int32Array.of(1, 2) }],
    maxBatch: 2,
    maxTokens: 16,
    sampleLength: 1,
    budgetMs: 1_000_000,
    occupied: (laneMs) => laneMs,
    withLane: <T>() => Promise.resolve(1 as T),
    signal: new AbortController().signal,
    ...more,
  };
  const learnt = await calibrate(deps);
  return { learnt, observed, settled };
};

/** A lane whose runs take what a formula says. */
const laneOf = (costs: (shape: RunShape, run: number) => number): Pick<CalibrationDeps, 'withLane'> => {
  let runs = 0;
  const run = (_key: string, batch: LaneBatch): Promise<{ laneMs: number }> => {
    if (batch.kind !== 'texts') throw new TypeError('expected texts');
    const { length: rows } = batch.lengths;
    const shape = { rows, tokens: batch.ids.length, longest: batch.ids.length / rows };
    return Promise.resolve({ laneMs: costs(shape, ++runs) });
  };
  return { withLane: (work) => work({ run } as unknown as Lane) };
};

describe('calibrate', () => {
  it('warms up, then goes up and down the sizes, each thrice in a row, until two rounds agree', async () => {
    const { learnt, observed, settled } = await play(laneOf(costOf));
    // 1 x 8, 2 x 8 and 1 x 16 (the same tokens), 2 x 16; the first of three in a row counts as warming up.
    const up = [8, 16, 16, 32].flatMap((tokens) => [tokens, tokens]);
    expect(observed.map(([tokens]) => tokens)).toEqual([...up, ...up.toReversed(), ...up]);
    expect(learnt).toBe(true);
    expect(settled).toEqual([COSTS]);
  });

  it('goes on while what is fixed still shrinks, as in a process that is compiling its code, and takes the medians', async () => {
    const { observed, settled } = await play(
      laneOf((shape, run) => costOf(shape) + (run <= 40 ? 2 - run / 20 : 0)),
    );
    expect(observed.length).toBeGreaterThan(3 * 8);
    expect(settled).toEqual([COSTS]);
  });

  it('ends after so many rounds though every one is slower than the last', async () => {
    const { learnt, observed } = await play(
      laneOf((shape, run) => costOf(shape) * 1.5 ** Math.floor(run / 12)),
    );
    expect([learnt, observed.length]).toEqual([true, 11 * 8]);
  });

  it('goes on until the budget is spent where that is wanted', async () => {
    const lane = laneOf(costOf);
    const { observed, settled } = await play({ ...lane, untilSpent: true, budgetMs: 1_000 });
    const spentMs = observed.reduce((sum, [, ms]) => sum + ms, 0);
    expect(spentMs).toBeGreaterThan(600);
    expect(spentMs).toBeLessThan(700);
    expect(settled.length).toBe(1);
  });

  it('ends where no shape fits into the budget, however long it may go on, and has learnt nothing', async () => {
    const { learnt, observed, settled } = await play({ budgetMs: 10, untilSpent: true });
    expect([learnt, observed, settled]).toEqual([false, [], []]);
  });

  it('ends when it is stopped', async () => {
    const stop = new AbortController();
    let ran = 0;
    const withLane = <T>(): Promise<T> => {
      if (++ran === 6) stop.abort();
      return Promise.resolve(1 as T);
    };
    const { learnt } = await play({ untilSpent: true, signal: stop.signal, withLane });
    expect([learnt, ran]).toEqual([false, 6]);
  });

  it('asks for a lane again and again, and leaves no timer when it is stopped meanwhile', async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    let asked = 0;
    const withLane = (): undefined => {
      asked++;
    };
    const { signal } = stop;
    const playing = play({ clock, signal, withLane });
    await clock.advance(100);
    stop.abort();
    const { learnt } = await playing;
    expect([learnt, asked, clock.pendingTimers]).toEqual([false, 5, 0]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
