import { describe, expect, it } from '@jest/globals';
import { settle } from '../support/fake-clock.js';
import { codeOf, PuppetLanes, values } from '../support/puppet-lanes.js';

describe('single flight', () => {
  it('runs equal inputs once, queued or running, and answers all of them', async () => {
    const lanes = new PuppetLanes();
    const running = lanes.submit('a=1');
    await settle();
    const tickets = [lanes.submit('a=1'), lanes.submit('b=2'), lanes.submit('b=2 a=1')];
    await lanes.finishAll();
    expect(lanes.history).toEqual([['a'], ['b']]);
    expect(await values(running)).toEqual(['A']);
    expect(await Promise.all(tickets.map(values))).toEqual([['A'], ['B'], ['B', 'A']]);
    expect(lanes.events.filter((event) => event.type === 'shared')).toHaveLength(2);
  });

  it('shares within one request too', async () => {
    const lanes = new PuppetLanes();
    const ticket = lanes.submit('a=1 a=1 b=2');
    await settle();
    await lanes.finishAll();
    expect(lanes.history).toEqual([['a', 'b']]);
    expect(await values(ticket)).toEqual(['A', 'A', 'B']);
  });

  it('runs again what has been answered: it is no cache', async () => {
    const lanes = new PuppetLanes();
    lanes.submit('a=1');
    await settle();
    await lanes.finishAll();
    lanes.submit('a=1');
    await settle();
    expect(lanes.history).toEqual([['a'], ['a']]);
  });

  it('does not cancel the twins of one that is cancelled, or late', async () => {
    const lanes = new PuppetLanes();
    lanes.submit('x');
    await settle();
    const [first, second, third] = [
      lanes.submit('a=1', { deadlineAt: 5 }),
      lanes.submit('a=1'),
      lanes.submit('a=1'),
    ];
    const codes = [first, second].map(codeOf);
    second.cancel();
    await lanes.clock.advance(10);
    expect(lanes.batcher.queuedRows).toBe(1);
    await lanes.finishAll();
    expect(await Promise.all(codes)).toEqual(['DEADLINE_EXCEEDED', 'CLIENT_GONE']);
    expect(await values(third)).toEqual(['A']);
  });

  it('frees the queue when the last twin is gone', async () => {
    const lanes = new PuppetLanes();
    lanes.submit('x');
    await settle();
    const twins = [lanes.submit('a=1'), lanes.submit('a=1')];
    const codes = twins.map(codeOf);
    for (const twin of twins) twin.cancel();
    expect(lanes.batcher.queuedRows).toBe(0);
    await lanes.finishAll();
    expect(await Promise.all(codes)).toEqual(['CLIENT_GONE', 'CLIENT_GONE']);
    expect(lanes.history).toEqual([['x']]);
  });

  it('gives all twins the error of their one run', async () => {
    const lanes = new PuppetLanes();
    const codes = [codeOf(lanes.submit('a=1')), codeOf(lanes.submit('a=1'))];
    await settle();
    await lanes.runs[0]?.fail('EXECUTION_FAILED');
    expect(await Promise.all(codes)).toEqual(['EXECUTION_FAILED', 'EXECUTION_FAILED']);
  });

  it('takes no room in the queue for a rider', () => {
    const lanes = new PuppetLanes({ maxQueue: 1 }, 0);
    lanes.submit('a=1');
    expect(() => lanes.submit('b=2')).toThrow(expect.objectContaining({ code: 'QUEUE_FULL' }));
    lanes.submit('a=1');
    expect(lanes.batcher.queuedRows).toBe(1);
  });

  describe('a twin stands where it would without the other', () => {
    /** In what order a's twin, whose first is late in line, rides among fresh callers' items. */
    const order = async (
      queue: (lanes: PuppetLanes) => void,
      twin: (lanes: PuppetLanes) => void,
    ): Promise<string[]> => {
      const lanes = new PuppetLanes({ maxBatch: 1, sloMs: 1_000 });
      lanes.submit('running');
      await settle();
      queue(lanes);
      twin(lanes);
      await lanes.finishAll();
      return lanes.history.slice(1).flat();
    };
    const lowest = (lanes: PuppetLanes): void => {
      lanes.submit('a=1', { caller: 'low', priority: 1_000 });
      for (const name of ['b', 'c', 'd']) lanes.submit(name, { caller: name, priority: 3 });
    };

    it('not at the priority of the other', async () => {
      const twin = (lanes: PuppetLanes): void => void lanes.submit('a=1', { caller: 'twin' });
      expect(await order(lowest, () => undefined)).toEqual(['b', 'c', 'd', 'a']);
      expect(await order(lowest, twin)).toEqual(['a', 'b', 'c', 'd']);
    });

    it('not at the end of a flood; and the flood is not pulled ahead with it', async () => {
      const lanes = new PuppetLanes({ maxBatch: 1, sloMs: 1_000 });
      lanes.submit('running');
      await settle();
      lanes.submit('b c d e a=1', { caller: 'flood' });
      lanes.submit('a=1', { caller: 'twin' });
      for (let i = 0; i < 3; i++) await lanes.runs[i]?.finish();
      lanes.submit('z', { caller: 'late' });
      await lanes.finishAll();
      expect(lanes.history.slice(1).flat()).toEqual(['b', 'a', 'c', 'z', 'd', 'e']);
    });

    it('and never further back', async () => {
      const twin = (lanes: PuppetLanes): void => {
        lanes.submit('b', { caller: 'b' });
        lanes.submit('a=1', { caller: 'twin', priority: 1_000 });
      };
      expect(await order((lanes) => void lanes.submit('a=1', { caller: 'first' }), twin)).toEqual(['a', 'b']);
    });

    it('and one that runs is left as it is', async () => {
      const lanes = new PuppetLanes({ maxBatch: 1, sloMs: 1_000 });
      const tickets = [lanes.submit('a=1', { priority: 1_000 })];
      await settle();
      tickets.push(lanes.submit('a=1', { priority: 1 }));
      expect(lanes.batcher.queuedRows).toBe(0);
      await lanes.finishAll();
      expect(await Promise.all(tickets.map(values))).toEqual([['A'], ['A']]);
      expect(lanes.history).toEqual([['a']]);
    });
  });
});
