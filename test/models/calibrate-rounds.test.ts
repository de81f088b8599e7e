import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { costMs, type RunShape } from '#batcher';
import { calibrate, type CalibrationDeps } from '../../src/models/calibrate.js';
import { FakeClock } from '../support/fake-clock.js';

const COST = { alphaMs: 1, betaMsPerToken: 0.1, kneeTokens: 0, quadMsPerTokenSquared: 0 };
const costOf = ({ tokens, longest }: RunShape): number => costMs(COST, tokens, longest);

/** Runs of a model that takes texts of up to 16 tokens and costs as above; a lane is never touched. */
const play = async (more: Partial<CalibrationDeps> = {}) => {
  const observed: [tokens: number, ms: number][] = [];
  let runs = 0;
  const settled: [rows: number, longest: number, ms: number][][] = [];
  const deps: CalibrationDeps = {
    key: 'm#1',
    cost: {
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
    withLane: <T>() => Promise.resolve(++runs as T),
    signal: new AbortController().signal,
    ...more,
  };
  const learnt = await calibrate(deps);
  return { learnt, observed, settled, runs: () => runs };
};

describe('calibrate', () => {
  it('warms up, then goes up and down the sizes; the median of each is what counts', async () => {
    const { learnt, observed, runs, settled } = await play();
    // 1 x 8, 2 x 8 and 1 x 16 (the same tokens), 2 x 16.
    const up = [8, 16, 16, 32];
    expect(observed.map(([tokens]) => tokens)).toEqual([...up, ...up.toReversed(), ...up]);
    expect([learnt, runs()]).toEqual([true, 16]);
    // The times are the numbers of the runs.
    expect(settled).toEqual([
      [
        [1, 8, 12],
        [1, 16, 10],
        [2, 8, 11],
        [2, 16, 9],
      ],
    ]);
  });

  it('runs a shape several times in a row, and leaves the first of them out', async () => {
    const { observed, runs } = await play({ inARow: 3, rounds: 2, maxBatch: 1 });
    // The times are the numbers of the runs: two to warm up, then three of each size.
    expect(observed).toEqual([
      [8, 4],
      [8, 5],
      [16, 7],
      [16, 8],
    ]);
    expect(runs()).toBe(8);
  });

  it('ends where no shape fits into the budget, however many rounds it has, and has learnt nothing', async () => {
    const { learnt, observed, settled } = await play({ budgetMs: 10, rounds: Infinity });
    expect([learnt, observed, settled]).toEqual([false, [], []]);
  });

  it('ends when it is stopped', async () => {
    const stop = new AbortController();
    let ran = 0;
    const withLane = <T>(): Promise<T> => {
      if (++ran === 6) stop.abort();
      return Promise.resolve(1 as T);
    };
    const { learnt } = await play({ rounds: Infinity, signal: stop.signal, withLane });
    expect([learnt, ran]).toEqual([false, 6]);
  });

  it('asks for a lane again and again, and leaves no timer when it is stopped meanwhile', async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    let asked = 0;
    const withLane = (): undefined => void asked++;
    const { signal } = stop;
    const playing = play({ clock, signal, withLane });
    await clock.advance(100);
    stop.abort();
    const { learnt } = await playing;
    expect([learnt, asked, clock.pendingTimers]).toEqual([false, 5, 0]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
