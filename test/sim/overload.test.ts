import { describe, expect, it } from '@jest/globals';
import { fixedLengths, lognormalLengths } from '../../src/sim/lengths.js';
import { NO_BATCHING, OURS, type Rule } from '../../src/sim/rules.js';
import { coefficients } from '../../src/sim/setting.js';
import { FATE } from '../../src/sim/simulate.js';
import { poissonTrace } from '../../src/sim/traces.js';
import { GPU, play } from './settings.js';

/** A lone run of 40 tokens, milliseconds, and in how many of them an answer is wanted. */
const RUN_MS = 40;
const SLO_RUNS = 10;

const LENGTHS = { equal: fixedLengths(40), mixed: lognormalLengths(30, 0.7) };

describe('overload with deadlines', () => {
  it.each(
    [2, 10, 20, 35].flatMap((alphaMs) =>
      (['equal', 'mixed'] as const).flatMap((lengths) =>
        [4, SLO_RUNS].map((deadlineRuns) => ({ alphaMs, lengths, deadlineRuns })),
      ),
    ),
  )(
    'never has fewer answers in time than one by one: $lengths lengths, $alphaMs of 40 ms fixed, deadline after $deadlineRuns runs',
    async ({ alphaMs, lengths, deadlineRuns }) => {
      const setting = {
        ...GPU,
        cost: coefficients(alphaMs, (RUN_MS - alphaMs) / 40, 0, 0),
        lengths: LENGTHS[lengths],
        sloMs: SLO_RUNS * RUN_MS,
      };
      for (const load of [1.3, 2, 6]) {
        const trace = poissonTrace(
          { requests: 1_500, lengths: setting.lengths, seed: 1 },
          (load * 1000) / RUN_MS,
        );
        const inTime = async (rule: Rule): Promise<number> => {
          const { fate } = await play(rule, trace, { setting, deadlineMs: deadlineRuns * RUN_MS });
          return fate.reduce((n, f) => n + (f === FATE.served ? 1 : 0), 0);
        };
        expect(await inTime(OURS)).toBeGreaterThanOrEqual(0.98 * (await inTime(NO_BATCHING)));
      }
    },
  );
});
