import { describe, expect, it } from '@jest/globals';
import { Breaker } from '../../src/models/breaker.js';

const OPTIONS = { losses: 4, windowMs: 1000, pauseMs: 100 };

/** Loses a lane at each of these times; nobody else does. @returns whether each opened it */
const loseAt = (breaker: Breaker, times: readonly number[], hung = false): boolean[] =>
  times.map((at, i) => breaker.lost(at, hung ? 'hung' : 'died again', i + 1));

describe('a breaker', () => {
  it('opens at the n-th loss within the window, and lets nobody in until the pause is over', () => {
    const breaker = new Breaker(OPTIONS);
    expect(loseAt(breaker, [0, 10, 20])).toEqual([false, false, false]);
    expect([breaker.state(20), breaker.admit(20)]).toEqual(['closed', 0]);
    expect(breaker.lost(30, 'died again', 4)).toBe(true);
    expect([breaker.state(30), breaker.admit(30), breaker.admit(129)]).toEqual(['open', 100, 1]);
  });

  it('forgets losses that are older than the window', () => {
    const breaker = new Breaker(OPTIONS);
    expect(loseAt(breaker, [0, 10, 20, 1005, 1012])).toEqual([false, false, false, false, false]);
    expect(breaker.lost(1015, 'died again', 6)).toBe(true);
  });

  it('counts a hang twice', () => {
    expect(loseAt(new Breaker(OPTIONS), [0, 10], true)).toEqual([false, true]);
  });

  it('does not count runs whose lane died once: the repetition tells whether it was their doing', () => {
    const breaker = new Breaker(OPTIONS);
    expect(Array.from({ length: 20 }, (_, i) => breaker.lost(i, 'died', i + 1))).not.toContain(true);
  });

  it('stays closed where lanes die without the model too', () => {
    const breaker = new Breaker(OPTIONS);
    const opened = Array.from({ length: 20 }, (_, i) => breaker.lost(i, 'died again', 2 * i + 1));
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
    expect([breaker.admit(103), breaker.admit(104)]).toEqual([0, 99]);
    expect(breaker.ran(110)).toBe(true);
    expect([breaker.state(110), breaker.admit(110), breaker.admit(110)]).toEqual(['closed', 0, 0]);
    // The old losses are forgotten.
    expect(breaker.lost(120, 'died again', 5)).toBe(false);
  });

  it('half-open lets another one in when the first never came back', () => {
    const breaker = new Breaker(OPTIONS);
    loseAt(breaker, [0, 1, 2, 3]);
    expect([breaker.admit(103), breaker.admit(202), breaker.admit(203)]).toEqual([0, 1, 0]);
  });

  it('opens again for twice as long when the probe loses its lane, at most twelve pauses', () => {
    const breaker = new Breaker(OPTIONS);
    loseAt(breaker, [0, 1, 2, 3]);
    let now = 103;
    const pauses: number[] = [];
    for (let i = 0; i < 6; i++) {
      expect(breaker.admit(now)).toBe(0);
      expect(breaker.lost(now, 'died again', 5 + i)).toBe(true);
      pauses.push(breaker.admit(now));
      now += breaker.admit(now);
    }
    expect(pauses).toEqual([200, 400, 800, 1200, 1200, 1200]);
  });

  it('takes no notice, while open, of runs that began before', () => {
    const breaker = new Breaker(OPTIONS);
    loseAt(breaker, [0, 1, 2, 3]);
    expect([breaker.ran(50), breaker.lost(60, 'hung', 5), breaker.state(60)]).toEqual([false, false, 'open']);
    expect(breaker.admit(60)).toBe(43);
  });
});
