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
});
