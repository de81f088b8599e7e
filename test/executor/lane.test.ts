import { describe, expect, it } from '@jest/globals';
import { Lane } from '../../src/executor/lane.js';
import { settle } from '../support/fake-clock.js';
import { failureOf, multiBatch, specOf } from '../support/lanes.js';
import { puppetOpen } from '../support/puppet-link.js';

const silent = { onPost: (): void => undefined };

describe('a lane', () => {
  it('matches replies to what was asked, in whatever order they come', async () => {
    const { open, links } = puppetOpen(silent);
    const lane = new Lane(open);
    const first = lane.load(specOf('a'));
    const second = lane.run('a', multiBatch());
    const third = lane.unload('a');
    const [load, run, unload] = links[0]!.requests;
    links[0]!.answer(unload!);
    links[0]!.reply({ type: 'failed', id: run!.id, error: { code: 'EXECUTION_FAILED', message: 'no' } });
    links[0]!.answer(load!);
    expect(await failureOf(second)).toBe('EXECUTION_FAILED: no');
    expect(await first).toEqual({ inputs: [], outputs: [] });
    await third;
    expect(lane.running).toBe(false);
  });

  it('refuses a reply of another kind than was asked for', async () => {
    const { open, links } = puppetOpen(silent);
    const lane = new Lane(open);
    const load = lane.load(specOf('a'));
    const run = lane.run('a', multiBatch());
    for (const { id } of links[0]!.requests) links[0]!.reply({ type: 'ok', id });
    expect(await failureOf(load)).toMatch(/^INTERNAL: expected 'loaded'.*got 'ok'/);
    expect(await failureOf(run)).toMatch(/^INTERNAL: expected 'ran'.*got 'ok'/);
  });

  it('passes over replies that nobody waits for', async () => {
    const { open, links } = puppetOpen();
    const lane = new Lane(open);
    await lane.ready;
    links[0]!.reply({ type: 'ok', id: 4711 });
    links[0]!.reply({ type: 'failed', id: 4712, error: { code: 'INTERNAL', message: 'late' } });
    await lane.load(specOf('a'));
    expect(lane.lost).toBe(false);
  });

  it('that dies rejects all that was asked of it, and all that is asked later', async () => {
    const { open, links } = puppetOpen(silent);
    const lane = new Lane(open);
    const asked = [lane.load(specOf('a')), lane.run('a', multiBatch()), lane.unload('a')].map(failureOf);
    links[0]!.die('struck by lightning');
    const lost = 'WORKER_LOST: the lane was lost: struck by lightning';
    expect(await Promise.all(asked)).toEqual([lost, lost, lost]);
    expect(await failureOf(lane.run('a', multiBatch()))).toBe(lost);
    expect(await lane.ended).toBe('struck by lightning');
    expect(lane.running).toBe(false);
    expect(links[0]!.requests).toHaveLength(3);
  });

  it('that dies before it is ready says so to who waits for it', async () => {
    const { open, links } = puppetOpen({ onOpen: () => undefined });
    const lane = new Lane(open);
    links[0]!.die('stillborn');
    expect(await failureOf(lane.ready)).toMatch(/^WORKER_LOST: .*stillborn/);
  });

  it('that is given up is lost at once, and running until its run is over', async () => {
    const { open, links } = puppetOpen(silent);
    const lane = new Lane(open);
    const run = failureOf(lane.run('a', multiBatch()));
    let ended = false;
    void lane.ended.then(() => (ended = true));
    lane.discard('too slow');
    expect(lane.lost).toBe(true);
    expect(await run).toBe('WORKER_LOST: the lane was lost: too slow');
    await settle();
    // A thread is still inside the runtime: whoever ends the process now aborts it.
    expect({ running: lane.running, ended, discarded: links[0]!.discarded }).toEqual({
      running: true,
      ended: false,
      discarded: true,
    });
    links[0]!.answer(links[0]!.requests[0]!);
    links[0]!.die('done');
    await settle();
    expect({ running: lane.running, ended }).toEqual({ running: false, ended: true });
  });

  it('that is given up before it is ready never becomes ready', async () => {
    const { open, links } = puppetOpen({ onOpen: () => undefined });
    const lane = new Lane(open);
    lane.discard('closed');
    links[0]!.ready();
    expect(await failureOf(lane.ready)).toBe('WORKER_LOST: the lane was lost: closed');
    expect(lane.running).toBe(false);
  });

  it('that is lost already needs no stop', async () => {
    const { open, links } = puppetOpen();
    const lane = new Lane(open);
    await lane.ready;
    links[0]!.die('gone');
    await lane.stop();
    expect(links[0]!.requests).toEqual([]);
  });

  it('says what could not be sent', async () => {
    const { open } = puppetOpen({
      onPost: () => {
        throw new TypeError('could not be cloned');
      },
    });
    const lane = new Lane(open);
    expect(await failureOf(lane.load(specOf('a')))).toMatch(/could not be cloned/);
    expect(lane.running).toBe(false);
  });
});
