import { describe, expect, it } from '@jest/globals';
import { Breaker } from '../../src/models/breaker.js';

const OPTIONS = { losses: 4, windowMs: 1000, pauseMs: 100 };

/** Loses a lane at each of these times, at once; nobody else does. @returns whether each opened it */
const loseAt = (breaker: Breaker, times: readonly number[], hung = false): boolean[] =>
  times.map((at, i) => breaker.lost(at, at, hung ? 'hung' : 'died again', i + 1));

/** Comes with a request. @returns the milliseconds that it has to wait */
const ask = (breaker: Breaker, now: number, request: object = {}): number => {
  const waitMs = breaker.waitMs(now, request);
  expect(breaker.admit(now, request) === undefined).toBe(waitMs > 0);
  return waitMs;
};

describe('a breaker', () => {
  it('opens at the n-th loss within the window, and lets nobody in until the pause is over', () => {
    const breaker = new Breaker(OPTIONS);
    expect(loseAt(breaker, [0, 10, 20])).toEqual([false, false, false]);
    expect([breaker.state(20), ask(breaker, 20)]).toEqual(['closed', 0]);
    expect(breaker.lost(30, 30, 'died again', 4)).toBe(true);
    expect([breaker.state(30), ask(breaker, 30), ask(breaker, 129)]).toEqual(['open', 100, 1]);
  });

  it('forgets losses that are older than the window', () => {
    const breaker = new Breaker(OPTIONS);
    expect(loseAt(breaker, [0, 10, 20, 1005, 1012])).toEqual([false, false, false, false, false]);
    expect(breaker.lost(1015, 1015, 'died again', 6)).toBe(true);
  });

  it('opens for hangs that last longer than the window, in two lanes at a time too', () => {
    const one = new Breaker({ ...OPTIONS, losses: 10 });
    const hangs = [0, 1, 2, 3, 4].map((i) => one.lost(5000 * i, 5000 * (i + 1), 'hung', i + 1));
    expect(hangs).toEqual([false, false, false, false, true]);
    const two = new Breaker({ ...OPTIONS, losses: 10 });
    const lost = [0, 0, 5000, 5001, 10_000].map((at, i) => two.lost(at, at + 5000, 'hung', i + 1));
    expect(lost).toEqual([false, false, false, false, true]);
  });

  it('forgets hangs between which it ran well for longer than the window', () => {
    const breaker = new Breaker(OPTIONS);
    const hangs = [0, 1, 2, 3, 4].map((i) => breaker.lost(6000 * i, 6000 * i + 5000, 'hung', i + 1));
    expect(hangs).not.toContain(true);
  });

  it('counts a hang twice', () => {
    expect(loseAt(new Breaker(OPTIONS), [0, 10], true)).toEqual([false, true]);
  });

  it('does not count runs whose lane died once: the repetition tells whether it was their doing', () => {
    const breaker = new Breaker(OPTIONS);
    expect(Array.from({ length: 20 }, (_, i) => breaker.lost(i, i, 'died', i + 1))).not.toContain(true);
  });

  it('stays closed where lanes die without the model too', () => {
    const breaker = new Breaker(OPTIONS);
    const opened = Array.from({ length: 20 }, (_, i) => breaker.lost(i, i, 'died again', 2 * i + 1));
    expect(opened).not.toContain(true);
  });

  it('is never opened with 0 losses', () => {
    const breaker = new Breaker({ ...OPTIONS, losses: 0 });
    expect(loseAt(breaker, [1, 2, 3, 4, 5, 6, 7, 8], true)).not.toContain(true);
  });

  it('half-open lets one in at a time, and closes when it has run', () => {
    const breaker = new Breaker(OPTIONS);
    loseAt(breaker, [0, 1, 2, 3]);
    expect(breaker.state(103)).toBe('half-open');
    expect([ask(breaker, 103), ask(breaker, 104)]).toEqual([0, 99]);
    expect(breaker.ran(110)).toBe(true);
    expect([breaker.state(110), ask(breaker, 110), ask(breaker, 110)]).toEqual(['closed', 0, 0]);
    // The old losses are forgotten.
    expect(breaker.lost(120, 120, 'died again', 5)).toBe(false);
  });

  it('half-open lets all parts of the one in, and another one when none of them has run', () => {
    const breaker = new Breaker(OPTIONS);
    loseAt(breaker, [0, 1, 2, 3]);
    const [one, other] = [{ parts: 2 }, { parts: 1 }];
    const first = breaker.admit(103, one);
    const second = breaker.admit(104, one);
    expect([first, second]).toEqual([expect.any(Function), expect.any(Function)]);
    first?.();
    expect(ask(breaker, 105, other)).toBe(98);
    second?.();
    expect([ask(breaker, 106, other), ask(breaker, 107, one)]).toEqual([0, 99]);
  });

  it('half-open waits for a run whose request has ended, however long it takes', () => {
    const breaker = new Breaker(OPTIONS);
    loseAt(breaker, [0, 1, 2, 3]);
    const requestOver = breaker.admit(103, {});
    const runOver = breaker.hold();
    requestOver?.();
    expect([ask(breaker, 104), ask(breaker, 5000)]).toEqual([99, 1]);
    expect(breaker.lost(103, 9000, 'hung', 5)).toBe(true);
    runOver();
    expect(ask(breaker, 9000)).toBe(200);
  });

  it('opens again for twice as long when the probe loses its lane, at most twelve pauses', () => {
    const breaker = new Breaker(OPTIONS);
    loseAt(breaker, [0, 1, 2, 3]);
    let now = 103;
    const pauses: number[] = [];
    for (let i = 0; i < 6; i++) {
      expect(ask(breaker, now)).toBe(0);
      expect(breaker.lost(now, now, 'died again', 5 + i)).toBe(true);
      pauses.push(ask(breaker, now));
      now += ask(breaker, now);
    }
    expect(pauses).toEqual([200, 400, 800, 1200, 1200, 1200]);
  });

  it('takes no notice, while open, of runs that began before', () => {
    const breaker = new Breaker(OPTIONS);
    loseAt(breaker, [0, 1, 2, 3]);
    expect([breaker.ran(50), breaker.lost(60, 60, 'hung', 5), breaker.state(60)]).toEqual([
      false,
      false,
      'open',
    ]);
    expect(ask(breaker, 60)).toBe(43);
  });
});
