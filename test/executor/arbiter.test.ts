import { describe, expect, it } from '@jest/globals';
import { Arbiter, type Contender } from '../../src/executor/arbiter.js';
import { Lane } from '../../src/executor/lane.js';
import { puppetOpen } from '../support/puppet-link.js';

const lane = new Lane(puppetOpen().open);

const fail = (error: unknown): never => {
  throw error;
};

/** `since` undefined: nothing waits. A model that holds back is asked and passes. */
const model = (
  name: string,
  since: number | undefined,
  asked: string[],
  holds = false,
): Contender & { since: number | undefined } => ({
  since,
  get oldestArrivalMs() {
    return this.since;
  },
  ride(granted) {
    expect(granted).toBe(lane);
    asked.push(name);
    return holds ? undefined : Promise.resolve();
  },
});

describe('the arbiter', () => {
  it('lets background work ride only where no other has work, however long it has waited', async () => {
    const asked: string[] = [];
    const arbiter = new Arbiter();
    const holding = model('holding', 9, asked, true);
    const shadow = Object.assign(model('shadow', 1, asked), {
      isBackground: true,
      askLater: () => asked.push('shadow asks later'),
    });
    arbiter.add(shadow);
    arbiter.add(holding);
    expect(arbiter.dispatch(lane, fail)).toBeUndefined();
    holding.since = undefined;
    await arbiter.dispatch(lane, fail);
    expect(asked).toEqual(['shadow asks later', 'holding', 'shadow']);
  });

  it('gives the lane to the model whose head of line has waited longest', async () => {
    const asked: string[] = [];
    const arbiter = new Arbiter();
    const old = model('old', 3, asked);
    for (const contender of [
      model('young', 9, asked),
      old,
      model('idle', undefined, asked),
      model('mid', 5, asked),
    ])
      arbiter.add(contender);
    await arbiter.dispatch(lane, fail);
    old.since = undefined;
    await arbiter.dispatch(lane, fail);
    old.since = 20;
    await arbiter.dispatch(lane, fail);
    expect(asked).toEqual(['old', 'mid', 'mid']);
  });

  it('asks the next one where a model holds back, and nobody twice', () => {
    const asked: string[] = [];
    const arbiter = new Arbiter();
    arbiter.add(model('b', 2, asked, true));
    arbiter.add(model('c', 3, asked));
    arbiter.add(model('a', 1, asked, true));
    expect(arbiter.dispatch(lane, fail)).toBeDefined();
    expect(asked).toEqual(['a', 'b', 'c']);
    const holding = new Arbiter();
    holding.add(model('a', 1, asked, true));
    expect(holding.dispatch(lane, fail)).toBeUndefined();
    expect(holding.hasWork).toBe(true);
  });

  it('reports a model that throws, and asks the next one', () => {
    const asked: string[] = [];
    const faults: unknown[] = [];
    const arbiter = new Arbiter();
    const bug = new Error('a bug');
    arbiter.add({
      oldestArrivalMs: 1,
      ride: () => {
        throw bug;
      },
    });
    arbiter.add(model('next', 2, asked));
    expect(arbiter.dispatch(lane, (error) => faults.push(error))).toBeDefined();
    expect(asked).toEqual(['next']);
    expect(faults).toEqual([bug]);
  });

  it('forgets a model that is removed', () => {
    const asked: string[] = [];
    const arbiter = new Arbiter();
    const only = model('only', 1, asked);
    expect(arbiter.hasWork).toBe(false);
    arbiter.add(only);
    expect(arbiter.hasWork).toBe(true);
    only.since = undefined;
    expect(arbiter.hasWork).toBe(false);
    only.since = 1;
    arbiter.remove(only);
    expect(arbiter.hasWork).toBe(false);
    expect(arbiter.dispatch(lane, fail)).toBeUndefined();
    expect(asked).toEqual([]);
  });
});
