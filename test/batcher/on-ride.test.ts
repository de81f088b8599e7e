import { describe, expect, it } from '@jest/globals';
import type { Ticket } from '#batcher';
import { settle } from '../support/fake-clock.js';
import { codeOf, PuppetLanes, toItem, values } from '../support/puppet-lanes.js';

type Heard = (readonly [index: number, value: string])[];

const submit = (lanes: PuppetLanes, names: string, heard: Heard): Ticket<string> =>
  lanes.batcher.submit(names.split(' ').map(toItem), {}, (index, { value }) => heard.push([index, value]));

describe('hearing of every ride', () => {
  it('comes as each ride ends, with the position in the request', async () => {
    const lanes = new PuppetLanes({ maxBatch: 2 });
    const heard: Heard = [];
    const ticket = submit(lanes, 'a b c', heard);
    await settle();
    expect(heard).toEqual([]);
    await lanes.runs[0]?.finish();
    expect(heard).toEqual([[0, 'A'], [1, 'B']]); // prettier-ignore
    await lanes.finishAll();
    expect(heard.at(-1)).toEqual([2, 'C']);
    expect(await values(ticket)).toEqual(['A', 'B', 'C']);
  });

  it('comes to every rider of a shared item, at its own position', async () => {
    const lanes = new PuppetLanes();
    const first: Heard = [];
    const second: Heard = [];
    submit(lanes, 'x a=1', first);
    submit(lanes, 'a=1 y', second);
    await settle();
    await lanes.finishAll();
    expect(first).toEqual([[0, 'X'], [1, 'A']]); // prettier-ignore
    expect(second).toEqual([[0, 'A'], [1, 'Y']]); // prettier-ignore
  });

  it('ends with the request: nothing is heard after an error', async () => {
    const lanes = new PuppetLanes({ maxBatch: 1 });
    const heard: Heard = [];
    const ticket = submit(lanes, 'a b', heard);
    const code = codeOf(ticket);
    await settle();
    ticket.cancel();
    await lanes.finishAll();
    expect([await code, heard]).toEqual(['CLIENT_GONE', []]);
  });
});
