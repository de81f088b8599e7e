import { describe, expect, it } from '@jest/globals';
import { specOf } from '../support/lanes.js';
import { codeOf, values } from '../support/puppet-lanes.js';
import { turn } from '../support/puppet-model.js';
import { startPool } from '../support/puppet-pool.js';

describe('claims', () => {
  it('run as many batches at once as there are lanes, each lane one', async () => {
    const { pool, model, held, answer } = await startPool(3);
    const one = model('one', { maxBatch: 1 });
    const ticket = one.submit('a b c d e f g');
    await turn();
    expect(one.rides.map((ride) => ride.payloads)).toEqual([['a'], ['b'], ['c']]);
    expect(new Set(one.rides.map((ride) => ride.lane)).size).toBe(3);
    expect(pool.states).toEqual(['running', 'running', 'running']);
    while (held.length > 0) {
      answer();
      await turn();
      expect(held.length).toBeLessThanOrEqual(3);
    }
    expect(await values(ticket)).toEqual(['A', 'B', 'C', 'D', 'E', 'F', 'G']);
    expect(pool.states).toEqual(['idle', 'idle', 'idle']);
    await pool.close();
  });

  it('start after the other arrivals of their turn, which ride along', async () => {
    const { pool, model, answer } = await startPool(2);
    const one = model('one');
    const tickets = [one.submit('a')];
    queueMicrotask(() => tickets.push(one.submit('b')));
    await turn();
    expect(one.rides.map((ride) => ride.payloads)).toEqual([['a', 'b']]);
    answer();
    expect(await Promise.all(tickets.map(values))).toEqual([['A'], ['B']]);
    await pool.close();
  });

  it('are bound late: the lane goes to who has waited longest when it is free, whoever asked', async () => {
    const { pool, model, clock, answer } = await startPool(1);
    const [busy, young, old] = [model('busy'), model('young'), model('old')];
    busy.submit('x');
    await turn();
    old.submit('a');
    await clock.advance(5);
    young.submit('b');
    old.submit('c');
    answer();
    await turn();
    // `c` came last, but its model's head came first; and it was still free to ride along.
    expect(old.rides.map((ride) => ride.payloads)).toEqual([['a', 'c']]);
    expect(young.rides).toEqual([]);
    answer();
    await turn();
    expect(young.rides.map((ride) => ride.payloads)).toEqual([['b']]);
    answer();
    await turn();
    await pool.close();
  });

  it('pass a model that holds back, which gets a lane when its time has come', async () => {
    const { pool, model, clock, answer } = await startPool(1);
    const holding = model('holding', { maxWaitMs: 50 });
    const eager = model('eager');
    const held = holding.submit('h');
    await turn();
    await clock.advance(10);
    const ticket = eager.submit('e');
    await turn();
    expect(eager.rides).toHaveLength(1);
    answer();
    expect(await values(ticket)).toEqual(['E']);
    await turn();
    expect(holding.rides).toEqual([]);
    await clock.advance(39);
    await turn();
    expect(holding.rides).toEqual([]);
    await clock.advance(1);
    await turn();
    expect(holding.rides).toHaveLength(1);
    answer();
    expect(await values(held)).toEqual(['H']);
    await pool.close();
  });

  it('are not asked for again and again while every model holds back', async () => {
    const { pool, arbiter } = await startPool(2);
    let asked = 0;
    arbiter.add({
      oldestArrivalMs: 0,
      ride: () => {
        asked++;
        return undefined;
      },
    });
    pool.requestLane();
    for (let i = 0; i < 5; i++) await turn();
    expect(asked).toBe(1);
    await pool.close();
  });

  it('of a model that asked in vain are made up for by the claim that goes to another one', async () => {
    // With one lane only one claim can be asked for: the second model's request finds it taken.
    const { pool, model, answer } = await startPool(1);
    const [first, second] = [model('first'), model('second')];
    const tickets = [first.submit('a'), second.submit('b')];
    await turn();
    answer();
    await turn();
    answer();
    expect(await Promise.all(tickets.map(values))).toEqual([['A'], ['B']]);
    await pool.close();
  });

  it('prefer a lane that is there to one that is being replaced, and none is lost', async () => {
    const { pool, model, links, answer, held, restarts } = await startPool(2, undefined, (link, count) => {
      if (count !== 3) queueMicrotask(() => link.ready());
    });
    const one = model('one', { maxBatch: 1 });
    links[0]!.die('killed');
    await turn();
    expect(pool.states).toEqual(['starting', 'idle']);
    const ticket = one.submit('a b c');
    await turn();
    expect(one.rides.map((ride) => ride.payloads)).toEqual([['a']]);
    answer();
    await turn();
    answer();
    await turn();
    expect(one.rides.map((ride) => ride.payloads)).toEqual([['a'], ['b'], ['c']]);
    links[2]!.ready();
    await turn();
    expect(pool.states).toContain('idle');
    answer();
    expect(await values(ticket)).toEqual(['A', 'B', 'C']);
    await turn();
    // Both slots are free again.
    const next = one.submit('d e');
    await turn();
    expect(held.map(({ link }) => links.indexOf(link)).sort()).toEqual([1, 2]);
    answer();
    answer();
    expect(await values(next)).toEqual(['D', 'E']);
    expect(restarts).toEqual(['killed']);
    expect(pool.lanesView.lost).toBe(1);
    await pool.close();
  });

  it('that wait for a lane which restarts keep nobody waiting when another is free first', async () => {
    const { pool, model, links, answer, held } = await startPool(2, undefined, (link, count) => {
      if (count !== 3) queueMicrotask(() => link.ready());
    });
    const one = model('one', { maxBatch: 1 });
    const first = one.submit('a');
    await turn();
    links.find((link) => link !== held[0]!.link)!.die('killed');
    await turn();
    expect([...pool.states].sort()).toEqual(['running', 'starting']);
    // Its claim gets the only slot that is free, and waits for the lane there.
    const second = one.submit('b');
    await turn();
    answer();
    expect(await values(first)).toEqual(['A']);
    await turn();
    expect(one.rides.map((ride) => ride.payloads)).toEqual([['a'], ['b']]);
    answer();
    expect(await values(second)).toEqual(['B']);
    links[2]!.ready();
    await turn();
    expect(pool.lanesView.idle).toBe(2);
    await pool.close();
  });

  it('go on while other work waits for one particular lane', async () => {
    const { pool, model, answer, held } = await startPool(2);
    const hanging = model('hanging', { maxBatch: 1 });
    hanging.submit('h');
    await turn();
    const [hung] = held.splice(0);
    let turns = 0;
    const ends = [1, 2].map(() => pool.onLane(() => Promise.resolve(++turns)));
    const loaded = pool.onEveryLane(() => Promise.resolve(++turns));
    await turn();
    // The free lane has done its part.
    expect(turns).toBe(1);
    const ticket = model('one', { maxBatch: 1 }).submit('a b c');
    for (let runs = 1; runs <= 3; runs++) {
      await turn();
      expect(held).toHaveLength(1);
      answer();
    }
    expect(await values(ticket)).toEqual(['A', 'B', 'C']);
    hung!.link.answer(hung!.request);
    expect(await Promise.all(ends)).toEqual([2, 3]);
    expect([...(await loaded)].sort()).toEqual([1, 4]);
    expect(pool.lanesView.idle).toBe(2);
    await pool.close();
  });

  it('whose dispatch throws are reported, give their lane back, and starve nobody', async () => {
    const { pool, arbiter, model, answer, faults } = await startPool(1);
    const broken = {
      oldestArrivalMs: 0,
      ride: (): undefined => {
        throw new Error('a bug');
      },
    };
    arbiter.add(broken);
    pool.requestLane();
    await turn();
    // Still first in line, and still broken.
    const ticket = model('one').submit('a');
    await turn();
    answer();
    expect(await values(ticket)).toEqual(['A']);
    expect(faults).toEqual(['a bug', 'a bug']);
    await pool.close();
  });

  it('come before work that may only be done while nothing else is', async () => {
    const { pool, model, answer } = await startPool(2);
    expect(pool.lanesView).toEqual({ total: 2, idle: 2, lost: 0 });
    const idle = pool.whileIdle((lane) => lane.load(specOf('a')));
    expect(idle).toBeDefined();
    await idle;
    const ticket = model('one').submit('a');
    // Asked for, and not granted yet.
    expect(pool.whileIdle(() => Promise.resolve())).toBeUndefined();
    await turn();
    expect(pool.lanesView).toEqual({ total: 2, idle: 1, lost: 0 });
    expect(pool.whileIdle(() => Promise.resolve())).toBeUndefined();
    answer();
    await values(ticket);
    await turn();
    expect(await pool.whileIdle(() => Promise.resolve('done'))).toBe('done');
    await pool.close();
    expect(pool.lanesView.total).toBe(2);
  });

  it.each(['close', 'discard'] as const)('after %s do nothing, and are no fault', async (end) => {
    const { pool, links, model, faults, held } = await startPool(1);
    const closing = pool[end]();
    links[0]!.die('over');
    await closing;
    const ticket = model('one').submit('a');
    await turn();
    expect(held).toEqual([]);
    expect(faults).toEqual([]);
    ticket.cancel();
    expect(await codeOf(ticket)).toBe('CLIENT_GONE');
  });

  it('may be for every lane at once, each alone there', async () => {
    const { pool, model } = await startPool(3, () => false);
    let inside = 0;
    let release: () => void = () => undefined;
    const all = new Promise<void>((resolve) => (release = resolve));
    const work = pool.onEveryLane(async (lane) => {
      if (++inside === 3) release();
      await all;
      return lane;
    });
    const one = model('one');
    one.submit('a');
    expect(new Set(await work).size).toBe(3);
    await turn();
    expect(one.rides).toHaveLength(1);
    const failing = pool.onEveryLane(() => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(pool.lanesView.idle).toBe(3);
    await pool.close();
  });
});
