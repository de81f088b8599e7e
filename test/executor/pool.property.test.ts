import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PuppetModel } from '../support/puppet-model.js';
import { turn } from '../support/puppet-model.js';
import { values } from '../support/puppet-lanes.js';
import { rowsOf, specOf } from '../support/lanes.js';
import { startPool, type PoolHarness } from '../support/puppet-pool.js';

const LANES = 3;
const MODELS = ['m0', 'm1', 'm2'];
/** An item is given up after it lost three lanes. */
const MAX_KILLS = 2;

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('submit' as const),
      model: fc.nat(2),
      items: fc.integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('answer' as const), at: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const), lane: fc.nat(LANES - 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('furnish' as const), atOnce: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('onLane' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 30 }) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A lane is asked one thing at a time, and no more lanes work than there are. */
const checkHeld = ({ held, pool, faults }: PoolHarness): void => {
  expect(new Set(held.map(({ link }) => link)).size).toBe(held.length);
  expect(held.length).toBeLessThanOrEqual(LANES);
  expect(pool.states).toHaveLength(LANES);
  expect(faults).toEqual([]);
};

const play = async (steps: readonly Step[]): Promise<void> => {
  const harness = await startPool(LANES);
  const { pool, model, links, held, clock, answer } = harness;
  const models: PuppetModel[] = MODELS.map((key, i) => model(key, { maxBatch: 2, maxWaitMs: i * 10 }));
  const answers: Promise<unknown>[] = [];
  const expected: unknown[] = [];
  let kills = 0;
  let submitted = 0;
  let furnished = 0;
  for (const action of steps) {
    switch (action.do) {
      case 'submit': {
        const names = Array.from({ length: action.items }, () => `i${++submitted}`);
        answers.push(values(models[action.model]!.submit(names.join(' '))));
        expected.push(names.map((name) => name.toUpperCase()));
        break;
      }
      case 'answer': {
        const [ride] = held.splice(action.at % Math.max(1, held.length), 1);
        ride?.link.answer(ride.request);
        break;
      }
      case 'kill': {
        const alive = links.slice(-LANES)[action.lane]!;
        if (kills++ >= MAX_KILLS) break;
        for (let i = held.length - 1; i >= 0; i--) if (held[i]!.link === alive) held.splice(i, 1);
        alive.die('killed');
        break;
      }
      case 'furnish':
        // Killed meanwhile it fails, rightly.
        answers.push(
          pool
            .furnish({ spec: specOf(`f${++furnished}`), warmup: [rowsOf(1)] }, action.atOnce)
            .catch(() => undefined),
        );
        expected.push(undefined);
        break;
      case 'onLane':
        answers.push(
          pool
            .onLane((lane) => lane.load(specOf('trial')))
            .catch(() => undefined)
            .then(() => undefined),
        );
        expected.push(undefined);
        break;
      case 'time':
        await clock.advance(action.ms);
        break;
      case 'turn':
        await turn();
    }
    checkHeld(harness);
  }
  const end = { settled: false };
  const all = Promise.all(answers).then((got) => {
    end.settled = true;
    return got;
  });
  for (let i = 0; !end.settled && i < 2_000; i++) {
    await clock.advance(5);
    await turn();
    checkHeld(harness);
    answer();
  }
  expect({ ...end, steps }).toEqual({ settled: true, steps });
  expect(await all).toEqual(expected);
  // No claim was lost: every lane can be had again, at once.
  const last = models[0]!.submit('x x x x x x');
  await turn();
  expect(held).toHaveLength(LANES);
  while (held.length > 0) answer();
  await values(last);
  await pool.close();
};

describe('the pool', () => {
  it('loses no work and no lane, however arrivals, answers, deaths and openings interleave', () =>
    fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40 }), play), { numRuns: 60 }));
});
