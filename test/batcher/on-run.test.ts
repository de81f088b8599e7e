import { describe, expect, it } from '@jest/globals';
import type { Group, Ticket } from '#batcher';
import { settle } from '../support/fake-clock.js';
import { codeOf, PuppetLanes, toItem } from '../support/puppet-lanes.js';

/** `who` heard of a batch of these rows; and the events, as they came. */
const listening = (lanes: { batcher: PuppetLanes['batcher'] }, log: string[]) => {
  const seen = new Map<Group, number>();
  return (who: string, names: string, deadlineAt = Infinity): Ticket<string> =>
    lanes.batcher.submit(names.split(' ').map(toItem), {
      deadlineAt,
      onRun: (group) => {
        if (!seen.has(group)) seen.set(group, seen.size);
        const line = `${who} in ${seen.get(group) ?? '?'}`;
        if (log.at(-1) !== line) log.push(line);
      },
    });
};

const lanesAndLog = (maxBatch = 4) => {
  const log: string[] = [];
  const lanes = new PuppetLanes({ maxBatch }, 1, {
    onEvent: ({ type }) => {
      if (['dispatched', 'completed', 'failed'].includes(type)) log.push(type);
    },
  });
  return { lanes, log, submit: listening(lanes, log) };
};

describe('hearing of every run', () => {
  it('comes after the dispatch and before the end of the batch, to all that ride', async () => {
    const { lanes, log, submit } = lanesAndLog();
    submit('first', 'a b');
    submit('second', 'c');
    await settle();
    expect(log).toEqual(['dispatched', 'first in 0', 'second in 0']);
    await lanes.finishAll();
    expect(log.slice(3)).toEqual(['first in 0', 'second in 0', 'completed']);
  });

  it('comes for each batch of a request', async () => {
    const { lanes, log, submit } = lanesAndLog(1);
    submit('one', 'a b');
    await settle();
    await lanes.finishAll();
    expect(log.filter((line) => line.startsWith('one'))).toEqual(['one in 0', 'one in 1']);
  });

  it('comes to the twin that joined while it ran', async () => {
    const { lanes, log, submit } = lanesAndLog();
    submit('first', 'a=1');
    await settle();
    submit('twin', 'a=1');
    await settle();
    expect(log).not.toContain('twin in 0');
    await lanes.finishAll();
    expect(log.slice(-3)).toEqual(['first in 0', 'twin in 0', 'completed']);
  });

  it('comes for the run that failed, and for those that repeat it', async () => {
    const { lanes, log, submit } = lanesAndLog();
    const ticket = submit('only', 'a');
    const code = codeOf(ticket);
    await settle();
    await lanes.runs[0]?.fail('WORKER_LOST');
    await lanes.finishAll();
    expect(await code).toBe('answered');
    expect(log).toEqual(['dispatched', 'only in 0', 'failed', 'dispatched', 'only in 1', 'completed']);
  });

  it('has been, for who is late', async () => {
    const { lanes, log, submit } = lanesAndLog();
    const code = codeOf(submit('late', 'a', 5));
    await settle();
    await lanes.clock.advance(10);
    await lanes.finishAll();
    expect([await code, log]).toEqual(['DEADLINE_EXCEEDED', ['dispatched', 'late in 0', 'completed']]);
  });
});
