import { planCost } from '#batcher';
import { describe, expect, it } from '@jest/globals';
import { Returns } from '../../batcher/returns.js';
import { settle } from '../support/fake-clock.js';
import { PuppetLanes } from '../support/puppet-lanes.js';

const requestsWithin = (returns: Returns, now: number, mostMs: number): number =>
  returns.expected(now, mostMs)[0]?.requests ?? 0;

/** Callers who come back 1 ms after each of so many answers, 100 ms apart; the last answer at the time that is returned. */
const taught = (returns: Returns, answers = 40, backAfterMs = 1): number => {
  for (let i = 0; i < answers; i++) {
    returns.answered('a', i * 100);
    returns.came('a', i * 100 + backAfterMs);
  }
  return answers * 100;
};

describe('returns', () => {
  it('expects nothing before it has seen enough, and of nobody who was not answered', () => {
    const returns = new Returns();
    const now = taught(returns, 15);
    returns.answered('a', now);
    expect(returns.expected(now, 5)).toEqual([]);
    returns.came('a', now + 1);
    expect(returns.expected(now + 1, 5)).toEqual([]);
    returns.answered('a', now + 2);
    expect(requestsWithin(returns, now + 2, 5)).toBeCloseTo(1, 6);
  });

  it('knows when: nobody before their time, all after it, and no more of who is late', () => {
    const returns = new Returns();
    const now = taught(returns);
    for (const caller of ['a', 'b', 'c']) returns.answered(caller, now);
    expect(requestsWithin(returns, now, 0.7)).toBeLessThan(0.01);
    expect(requestsWithin(returns, now, 1.1)).toBeCloseTo(3, 6);
    expect(requestsWithin(returns, now + 0.5, 0.2)).toBeLessThan(0.01);
    expect(requestsWithin(returns, now + 0.5, 0.6)).toBeCloseTo(3, 6);
    expect(requestsWithin(returns, now + 2, 5)).toBe(0);
    returns.came('b', now + 1);
    expect(requestsWithin(returns, now + 0.5, 0.6)).toBeCloseTo(2, 6);
  });

  it('counts those that never come back', () => {
    const returns = new Returns();
    let now = taught(returns, 20);
    for (let i = 0; i < 20; i++) returns.answered(`gone ${i}`, (now += 100));
    returns.answered('a', (now += 100));
    // Faded: the later half weighs a little more.
    expect(requestsWithin(returns, now, 5)).toBeCloseTo(0.45, 1);
  });

  it('forgets what was long ago', () => {
    const returns = new Returns();
    taught(returns, 100, 1);
    for (let i = 0; i < 400; i++) {
      returns.answered('a', 20_000 + i * 100);
      returns.came('a', 20_000 + i * 100 + 20);
    }
    returns.answered('a', 70_000);
    expect(requestsWithin(returns, 70_000, 10)).toBeLessThan(0.05);
  });

  it('takes a caller with several answers out to come back for the latest', () => {
    const returns = new Returns();
    const now = taught(returns);
    returns.answered('a', now);
    returns.answered('a', now + 10);
    returns.came('a', now + 11);
    // The one that is left is 11 ms old: nobody ever took so long.
    expect(requestsWithin(returns, now + 11, 5)).toBe(0);
  });
});

/** Runs cost 10 ms and next to nothing a token: riding together pays. */
const COST = { alphaMs: 10, betaMsPerToken: 0.001, kneeTokens: 0, quadMsPerTokenSquared: 0 };

const ask = (lanes: PuppetLanes, caller: string): void => {
  lanes.submit(caller, { caller }).rides.catch(() => undefined);
};

/**
 * A caller that has come back 1 ms after each of many answers is in the lane, and another one waits: when the run ends,
 * the first one may be worth waiting for.
 */
const oneRunsOneWaits = async (echoHoldMs: number): Promise<PuppetLanes> => {
  const lanes = new PuppetLanes({ echoHoldMs }, 1, { plan: planCost, cost: COST });
  for (let i = 0; i < 40; i++) {
    ask(lanes, 'a');
    await settle();
    await lanes.runs.at(-1)?.finish();
    await lanes.clock.advance(1);
  }
  ask(lanes, 'a');
  await settle();
  ask(lanes, 'b');
  return lanes;
};

describe('the echo hold', () => {
  it('waits for the caller that was just answered, and runs at once when it is back', async () => {
    const lanes = await oneRunsOneWaits(5);
    const before = lanes.runs.length;
    await lanes.finishAll();
    expect(lanes.runs).toHaveLength(before);
    expect(lanes.freeLanes).toBe(1);
    await lanes.clock.advance(1);
    ask(lanes, 'a');
    await settle();
    expect(lanes.history.at(-1)).toEqual(['b', 'a']);
    expect(lanes.runs.at(-1)?.group.reason).toBe('echo_hold');
    await lanes.finishAll();
    expect(lanes.clock.pendingTimers).toBe(0);
  });

  it('does not wait for longer than it is worth when nobody comes', async () => {
    const lanes = await oneRunsOneWaits(5);
    const before = lanes.runs.length;
    await lanes.finishAll();
    await lanes.clock.advance(5);
    expect(lanes.runs).toHaveLength(before + 1);
    expect(lanes.history.at(-1)).toEqual(['b']);
    await lanes.finishAll();
  });

  it('is off at 0', async () => {
    const lanes = await oneRunsOneWaits(0);
    const before = lanes.runs.length;
    await lanes.finishAll();
    expect(lanes.runs).toHaveLength(before + 1);
  });

  it('ends at once when the queue is drained, or empties', async () => {
    const draining = await oneRunsOneWaits(5);
    await draining.finishAll();
    const drained = draining.batcher.drain();
    await settle();
    expect(draining.runs.at(-1)?.group.reason).toBe('drain');
    await draining.finishAll();
    await drained;

    const cancelled = await oneRunsOneWaits(5);
    await cancelled.finishAll();
    expect(cancelled.clock.pendingTimers).toBe(1);
    cancelled.batcher.abort();
    await settle();
    expect(cancelled.clock.pendingTimers).toBe(0);
    expect(cancelled.batcher.queuedRows).toBe(0);
  });
});
