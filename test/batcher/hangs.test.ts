import { describe, expect, it } from '@jest/globals';
import { codeOf, PuppetLanes, values } from '../support/puppet-lanes.js';

describe('a run that hangs', () => {
  it('runs again item by item; the one that hangs alone is guilty, the others are answered', async () => {
    const lanes = new PuppetLanes();
    lanes.lost = 0;
    const [good, bad, also] = ['a', 'b', 'c'].map((name) => lanes.submit(name));
    await lanes.clock.advance(0);
    lanes.lost++;
    await lanes.runs[0]?.hang();
    await lanes.runs[1]?.finish();
    lanes.lost++;
    await lanes.runs[2]?.hang();
    await lanes.runs[3]?.finish();
    expect(lanes.history).toEqual([['a', 'b', 'c'], ['a'], ['b'], ['c']]);
    expect(await codeOf(bad!)).toBe('EXECUTION_FAILED');
    expect([await values(good!), await values(also!)]).toEqual([['A'], ['C']]);
  });

  it('that was alone gets one more', async () => {
    const lanes = new PuppetLanes();
    lanes.lost = 0;
    const lucky = lanes.submit('a');
    await lanes.clock.advance(0);
    lanes.lost++;
    await lanes.runs[0]?.hang();
    await lanes.runs[1]?.finish();
    expect(await values(lucky)).toEqual(['A']);
    const bad = lanes.submit('b');
    await lanes.clock.advance(0);
    for (const run of [2, 3]) {
      lanes.lost++;
      await lanes.runs[run]?.hang();
    }
    expect(await codeOf(bad)).toBe('EXECUTION_FAILED');
    expect(lanes.history).toEqual([['a'], ['a'], ['b'], ['b']]);
  });

  it('proves nothing while other lanes are lost: four, then WORKER_LOST', async () => {
    const lanes = new PuppetLanes();
    lanes.lost = 0;
    const unlucky = lanes.submit('a');
    await lanes.clock.advance(0);
    for (let run = 0; run < 4; run++) {
      lanes.lost += 2;
      await lanes.runs[run]?.hang();
    }
    expect(await codeOf(unlucky)).toBe('WORKER_LOST');
    expect(lanes.runs).toHaveLength(4);
  });

  it('after a lane that died counts as its second loss', async () => {
    const lanes = new PuppetLanes();
    lanes.lost = 0;
    const bad = lanes.submit('a');
    await lanes.clock.advance(0);
    lanes.lost++;
    await lanes.runs[0]?.fail('WORKER_LOST');
    for (const run of [1, 2]) {
      lanes.lost++;
      await lanes.runs[run]?.hang();
    }
    expect(await codeOf(bad)).toBe('EXECUTION_FAILED');
    expect(lanes.runs).toHaveLength(3);
  });
});

describe('rejectWaiting', () => {
  it('ends what is queued and what is to run again with the error; what runs goes on', async () => {
    const lanes = new PuppetLanes({ maxBatch: 1 });
    const running = lanes.submit('a');
    await lanes.clock.advance(0);
    const waiting = lanes.submit('b');
    lanes.batcher.rejectWaiting(Object.assign(new Error('paused'), { code: 'MODEL_UNAVAILABLE' }));
    expect(await codeOf(waiting)).toBe('MODEL_UNAVAILABLE');
    await lanes.runs[0]?.finish();
    expect(await values(running)).toEqual(['A']);
    // It takes work as before.
    const next = lanes.submit('c');
    await lanes.clock.advance(0);
    await lanes.finishAll();
    expect(await values(next)).toEqual(['C']);
    expect(lanes.history).toEqual([['a'], ['c']]);
  });
});
