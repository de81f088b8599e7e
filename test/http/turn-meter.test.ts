import { describe, expect, it } from '@jest/globals';
import { TurnMeter, type LoopHost } from '../../src/http/turn-meter.js';

/** A loop that is told what it does. */
class FakeLoop implements LoopHost {
  at = 0;
  slept = 0;
  #fn: (() => void) | undefined;

  now = (): number => this.at;
  sleptMs = (): number => this.slept;
  atTurnEnd = (fn: () => void): (() => void) => {
    this.#fn = fn;
    return () => (this.#fn = undefined);
  };
  get isWatched(): boolean {
    return this.#fn !== undefined;
  }
  sleep(ms: number): void {
    this.at += ms;
    this.slept += ms;
  }
  work(ms: number): void {
    this.at += ms;
  }
  endTurn(): void {
    const fn = this.#fn;
    this.#fn = undefined;
    fn?.();
  }
}

const started = (): { loop: FakeLoop; meter: TurnMeter } => {
  const loop = new FakeLoop();
  const meter = new TurnMeter(loop);
  meter.start();
  return { loop, meter };
};

describe('the time for which bytes lay unread', () => {
  it('is nothing where the loop slept until they came', () => {
    const { loop, meter } = started();
    loop.work(30);
    loop.endTurn();
    loop.sleep(100);
    expect(meter.unreadMs()).toBe(0);
    // Others that woke it too are read after it.
    loop.work(7);
    expect(meter.unreadMs()).toBe(7);
  });

  it('is half of the turn before, and what went before it in its own, where they were there at once', () => {
    const { loop, meter } = started();
    loop.endTurn();
    loop.sleep(50);
    loop.work(40);
    loop.endTurn();
    expect(meter.unreadMs()).toBe(20);
    loop.work(10);
    expect(meter.unreadMs()).toBe(30);
    loop.endTurn();
    // The turn before was of 10 ms.
    expect(meter.unreadMs()).toBe(5);
  });

  it('is not looked for before the start and after the end', () => {
    const loop = new FakeLoop();
    const meter = new TurnMeter(loop);
    loop.work(100);
    expect([meter.unreadMs(), loop.isWatched]).toEqual([0, false]);
    meter.start();
    loop.endTurn();
    expect(loop.isWatched).toBe(true);
    meter.stop();
    loop.work(100);
    expect([meter.unreadMs(), loop.isWatched]).toEqual([0, false]);
  });
});

describe('the time for which a connection waited to be taken', () => {
  const connection = {};

  it('is nothing where the loop sleeps between them', () => {
    const { loop, meter } = started();
    for (let turn = 0; turn < 5; turn++) {
      loop.sleep(10);
      meter.took(connection);
      expect(meter.unreadMs(connection)).toBe(0);
      loop.work(5);
      loop.endTurn();
    }
  });

  it('is half of the time for which every turn took one, for the first request', () => {
    const { loop, meter } = started();
    loop.sleep(10);
    loop.endTurn();
    for (let turn = 0; turn < 10; turn++) {
      meter.took({});
      loop.work(20);
      loop.endTurn();
    }
    meter.took(connection);
    loop.work(7);
    expect(meter.unreadMs(connection)).toBe(107);
    // The next request on it came later.
    expect(meter.unreadMs(connection)).toBe(17);
    loop.endTurn();
    loop.work(20);
    loop.endTurn();
    // A turn without one: nobody waits any more.
    meter.took(connection);
    expect(meter.unreadMs(connection)).toBe(10);
  });
});

describe("Node's own loop", () => {
  it('is measured: bytes that lie there for a blocked turn are seen to have waited', async () => {
    const meter = new TurnMeter();
    meter.start();
    const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    await nextTurn();
    await nextTurn();
    const until = performance.now() + 50;
    while (performance.now() < until);
    // What keeps the next turn from sleeping, as bytes would.
    await nextTurn();
    const waited = meter.unreadMs();
    meter.stop();
    expect(waited).toBeGreaterThan(20);
  });
});
