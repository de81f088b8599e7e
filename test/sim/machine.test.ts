import { describe, expect, it } from '@jest/globals';
import { Cores, Thread } from '../../src/sim/cores.js';
import { fixedLengths } from '../../src/sim/lengths.js';
import { NO_BATCHING, OURS } from '../../src/sim/rules.js';
import { coefficients } from '../../src/sim/setting.js';
import { poissonTrace } from '../../src/sim/traces.js';
import { VirtualClock } from '../../src/sim/virtual-clock.js';
import { at, GPU, play } from './settings.js';

/** A run takes 10 ms, whatever rides. */
const TEN_MS = { ...GPU, cost: coefficients(10, 0, 0, 0), lengths: fixedLengths(8) };

const played = (clock: VirtualClock): void => {
  while (clock.nextAt !== undefined) clock.fireNext();
};

describe('cores', () => {
  it('are shared alike by as many jobs as there are, each alone on one where they suffice', () => {
    const clock = new VirtualClock();
    const cores = new Cores(clock, 2);
    const ends: Record<string, number> = {};
    const start = (name: string, ms: number): void =>
      cores.run(ms, () => {
        ends[name] = clock.now();
      });
    start('a', 4);
    start('b', 4);
    // From 2 on three share two cores: at two thirds of the speed a and b need 3 ms more, and c has done 2 ms by then.
    clock.callAt(2, () => start('c', 5));
    played(clock);
    expect(ends).toEqual({ a: 5, b: 5, c: 8 });
  });

  it('run the jobs of a thread one after the other', () => {
    const clock = new VirtualClock();
    const thread = new Thread(new Cores(clock, 4));
    const ends: number[] = [];
    for (const ms of [1, 2, 3]) thread.run(ms, () => ends.push(clock.now()));
    played(clock);
    expect(ends).toEqual([1, 3, 6]);
  });
});

describe('a machine', () => {
  it('takes its time before the queue and after the run, which the latency counts', async () => {
    const machine = { cores: 4, sendMs: 1, parseMs: 2, answerMs: 3 };
    const { latencyMs } = await play(NO_BATCHING, at([0, 8], [100, 8]), { setting: TEN_MS, machine });
    expect([...latencyMs]).toEqual([16, 16]);
  });

  it('lets lanes and event loop wait for each other where the cores are few', async () => {
    const machine = { cores: 1, sendMs: 0, parseMs: 0, answerMs: 0 };
    const setting = { ...TEN_MS, lanes: 2 };
    const { latencyMs } = await play(NO_BATCHING, at([0, 8], [0, 8]), { setting, machine });
    expect([...latencyMs]).toEqual([20, 20]);
  });

  it('answers every request, and no sooner than without it', async () => {
    const trace = poissonTrace({ requests: 3_000, lengths: GPU.lengths, seed: 5 }, 400);
    const alone = await play(OURS, trace);
    const shared = await play(OURS, trace, {
      machine: { cores: 2, sendMs: 0.1, parseMs: 0.2, answerMs: 0.2 },
    });
    expect(shared.latencyMs.some(Number.isNaN)).toBe(false);
    const mean = (values: Float64Array): number => values.reduce((sum, ms) => sum + ms, 0) / values.length;
    expect(mean(shared.latencyMs)).toBeGreaterThan(mean(alone.latencyMs) + 0.5);
  });
});
