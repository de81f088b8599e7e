import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fixedLengths } from '../../src/sim/lengths.js';
import { OURS } from '../../src/sim/rules.js';
import { coefficients, openKnobs } from '../../src/sim/setting.js';
import { FATE, simulate } from '../../src/sim/simulate.js';
import { poissonTrace } from '../../src/sim/traces.js';
import { GPU } from './settings.js';

/** Runs of one row take 40 ms, of two 60. */
const SLOW = { ...GPU, cost: coefficients(20, 0.5, 0, 0), lengths: fixedLengths(40), sloMs: 400 };
const RUN_MS = 40;
const REQUESTS = 900;

interface Course {
  /** How much dearer than they are runs are held to be at first. */
  readonly factor: number;
  /** Requests that come in the time of a lone run. */
  readonly load: number;
  /** Time of each request, in lone runs. */
  readonly slack: number;
  readonly lanes: number;
  readonly maxWaitMs: number;
  readonly seed: number;
}

/** How many of the last third, when the cost should be known, were answered in time. */
const servedAtLast = async ({ factor, load, slack, lanes, maxWaitMs, seed }: Course): Promise<number> => {
  const setting = { ...SLOW, lanes };
  const { cost, basis } = setting;
  const { fate } = await simulate({
    requests: poissonTrace({ requests: REQUESTS, lengths: setting.lengths, seed }, (load * 1000) / RUN_MS),
    plan: OURS.make(),
    knobs: { ...openKnobs(setting), maxWaitMs },
    lanes,
    basis,
    cost,
    believed: coefficients(cost.alphaMs * factor, cost.betaMsPerToken * factor, 0, 0),
    deadlineMs: slack * RUN_MS,
  });
  return fate.subarray((REQUESTS * 2) / 3).reduce((n, f) => n + (f === FATE.served ? 1 : 0), 0);
};

const course: fc.Arbitrary<Course> = fc.record({
  factor: fc.constantFrom(1.2, 2, 3, 10),
  load: fc.constantFrom(0.05, 0.3, 0.9, 2, 6),
  slack: fc.constantFrom(1.1, 1.3, 1.8, 2.5, 5),
  lanes: fc.constantFrom(1, 2),
  maxWaitMs: fc.constantFrom(0, 0, 10, 60),
  seed: fc.nat(1_000),
});

describe('a cost that is held to be too high', () => {
  it('heals at any load of requests with deadlines: as many are answered as if it had always been known', () =>
    fc.assert(
      fc.asyncProperty(course, async (course) => {
        const healed = await servedAtLast(course);
        const known = await servedAtLast({ ...course, factor: 1 });
        expect(healed).toBeGreaterThanOrEqual(0.9 * known - 5);
      }),
      { numRuns: Math.ceil(Number(process.env.PROPERTY_RUNS ?? 3_000) / 100) },
    ));
});
