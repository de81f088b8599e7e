import { describe, expect, it } from '@jest/globals';
import { settle } from '../support/fake-clock.js';
import { PuppetLanes } from '../support/puppet-lanes.js';

/** One lane, busy; then one item each of several callers, at this priority. */
const behind = async (names: string, priority: number): Promise<PuppetLanes> => {
  const lanes = new PuppetLanes({ maxBatch: 1, sloMs: 1_000 });
  lanes.submit('running');
  await settle();
  for (const name of names.split(' ')) lanes.submit(name, { caller: name, priority });
  return lanes;
};

describe('a higher priority', () => {
  it.each([
    ['the default goes before lower ones', 5, 0],
    ['the highest goes before the default', 0, 1],
    ['the highest goes before lower ones', 5, 1],
  ])('%s, before and after some of them were served', async (_, waiting, coming) => {
    const lanes = await behind('a b c d', waiting);
    lanes.submit('early', { caller: 'early', priority: coming });
    for (let i = 0; i < 3; i++) await lanes.runs[i]?.finish();
    // Now b is running.
    lanes.submit('late', { caller: 'late', priority: coming });
    await lanes.finishAll();
    expect(lanes.history.slice(1).flat()).toEqual(['early', 'a', 'b', 'late', 'c', 'd']);
  });
});
