import { describe, expect, it } from '@jest/globals';
import { CostModel } from '../../batcher/cost-model.js';
import { Load } from '../../batcher/load.js';
import type { Group } from '../../batcher/types.js';

const GROUP: Group = { items: [], rows: 1, tokens: 10, longest: 10, paddedTokens: 10, reason: 'lane_free' };

/** After many runs of 10 ms that each kept its lane for `heldMs`. */
const after = (heldMs: number, runs = 200): Load => {
  const cost = CostModel.known('rows', {
    alphaMs: 0,
    betaMsPerToken: 1,
    kneeTokens: 0,
    quadMsPerTokenSquared: 0,
  });
  const load = new Load(cost, 100);
  for (let i = 0; i < runs; i++) load.ran(GROUP, { aloneMs: 10, laneMs: 10, heldMs });
  return load;
};

describe('what the door expects of a queue', () => {
  it('is its lane time where results are taken at once', () => {
    expect(after(10).drainMs(100)).toBeCloseTo(100);
    // Never less: the lane's own time is the least that a run keeps it.
    expect(after(5).drainMs(100)).toBeCloseTo(100);
  });

  it('is longer by as much as an event loop that is behind keeps lanes from their next batch', () => {
    const load = after(25);
    expect(load.drainMs(100)).toBeCloseTo(250, 1);
    expect(load.answerMs(10)).toBeCloseTo(25, 1);
  });

  it('forgets, and does not take one accident for the load', () => {
    const load = after(10);
    load.ran(GROUP, { aloneMs: 10, laneMs: 10, heldMs: 10_000 });
    expect(load.drainMs(100)).toBeLessThan(120);
    const late = after(25);
    for (let i = 0; i < 200; i++) late.ran(GROUP, { aloneMs: 10, laneMs: 10, heldMs: 10 });
    expect(late.drainMs(100)).toBeCloseTo(100, 1);
  });
});
