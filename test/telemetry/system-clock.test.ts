import { describe, expect, it } from '@jest/globals';
import { createSystemClock, type TimerHost } from '../../src/telemetry/system-clock.js';

/** Timers that fire when told to, `earlyMs` before their time, as Node's may. */
const puppetTimers = (earlyMs = 0): TimerHost & { delays: number[]; fireNext(): void; armed(): number } => {
  let nowMs = 1000;
  const delays: number[] = [];
  const armed: { atMs: number; fn: () => void }[] = [];
  return {
    delays,
    now: () => nowMs,
    after: (delayMs, fn) => {
      delays.push(delayMs);
      const timer = { atMs: nowMs + delayMs, fn };
      armed.push(timer);
      return () => {
        const at = armed.indexOf(timer);
        if (at !== -1) armed.splice(at, 1);
      };
    },
    fireNext: () => {
      const timer = armed.shift();
      if (timer === undefined) throw new Error('nothing is armed');
      nowMs = Math.max(nowMs, timer.atMs - earlyMs);
      timer.fn();
    },
    armed: () => armed.length,
  };
};

describe('system clock', () => {
  it('arms again when a timer fires early', () => {
    const timers = puppetTimers(0.4);
    let called = 0;
    createSystemClock(timers).callAt(1010, () => called++);
    timers.fireNext();
    expect([called, timers.delays]).toEqual([0, [10, 1]]);
    timers.fireNext();
    expect([called, timers.armed()]).toEqual([1, 0]);
  });

  it('reaches times that are further away than setTimeout can', () => {
    const timers = puppetTimers();
    const calls: number[] = [];
    createSystemClock(timers).callAt(1000 + 2 ** 32, () => calls.push(timers.now()));
    while (timers.armed() > 0) timers.fireNext();
    expect(calls).toEqual([1000 + 2 ** 32]);
    expect(Math.max(...timers.delays)).toBe(2 ** 31 - 1);
  });

  it('never calls what was cancelled, also after it has armed again', () => {
    const timers = puppetTimers(0.4);
    const cancel = createSystemClock(timers).callAt(1010, () => {
      throw new Error('cancelled');
    });
    timers.fireNext();
    cancel();
    expect(timers.armed()).toBe(0);
  });

  it('takes Infinity as never', () => {
    const timers = puppetTimers();
    createSystemClock(timers).callAt(Infinity, () => undefined)();
    expect(timers.delays).toEqual([]);
  });

  it.each([-5, 0, 0.3, 1, 3.7])(
    'on real timers: %d ms from now is not early and not synchronous',
    async (ms) => {
      const clock = createSystemClock();
      const atMs = clock.now() + ms;
      let isReturned = false;
      const firedAtMs = await new Promise<number>((resolve, reject) => {
        clock.callAt(atMs, () => (isReturned ? resolve(clock.now()) : reject(new Error('synchronous'))));
        isReturned = true;
      });
      expect(firedAtMs).toBeGreaterThanOrEqual(atMs);
    },
  );

  it('cancels on real timers', async () => {
    const clock = createSystemClock();
    let isCalled = false;
    for (const ms of [-1, 1]) clock.callAt(clock.now() + ms, () => (isCalled = true))();
    await new Promise<void>((resolve) => clock.callAt(clock.now() + 5, resolve));
    expect(isCalled).toBe(false);
  });
});
