import { describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { Lane } from '../../src/executor/lane.js';
import { isHung } from '../../src/executor/lane-hung.js';
import type { Isolation, OpenLink } from '../../src/executor/link.js';
import { openProcessLink } from '../../src/executor/process-link.js';
import { openThreadLink } from '../../src/executor/thread-link.js';
import { f32, failureOf, KINDS, multiBatch, rowsOf, specOf, valuesAt } from '../support/lanes.js';
import { puppetOpen } from '../support/puppet-link.js';

const WORKER = new URL('../support/hanging-worker.js', import.meta.url);
const hanging = (kind: Isolation): OpenLink =>
  kind === 'thread' ? openThreadLink(WORKER) : openProcessLink(WORKER);

/** Long enough for a run that does not hang, however slow the machine. */
const LIMIT_MS = 3_000;
const HANGS = rowsOf(1, f32([1, 3], [6666, 2 * LIMIT_MS, 2]), f32([1, 2], [3, 4]));

describe('a limit', () => {
  const lane = (loadMs: number, runMs: number): { lane: Lane; link: () => { discarded: boolean } } => {
    const { open, links } = puppetOpen({ onPost: () => undefined });
    return { lane: new Lane(open, { loadMs, runMs }), link: () => links[0]! };
  };

  it.each([
    ['load', 'load took longer than 30 ms', (it: Lane) => it.load(specOf('a'))],
    ['run', 'run took longer than 40 ms', (it: Lane) => it.run('a', multiBatch())],
    ['run with its own', 'run took longer than 20 ms', (it: Lane) => it.run('a', multiBatch(), 1, 20)],
    ['unload', 'unload took longer than 40 ms', (it: Lane) => it.unload('a')],
  ])('of a %s: the lane is given up', async (_, reason, work) => {
    const { lane: hung, link } = lane(30, 40);
    const error: unknown = await work(hung).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'WORKER_LOST', message: `the lane was lost: ${reason}` });
    expect(isHung(error)).toBe(true);
    expect(await hung.gone).toBe(reason);
    expect([hung.lost, hung.running, link().discarded]).toEqual([true, true, true]);
  });

  it('that is kept leaves no timer behind', async () => {
    const { open } = puppetOpen();
    const lane = new Lane(open, { loadMs: 20, runMs: 20 });
    await lane.load(specOf('a'));
    await lane.run('a', multiBatch());
    await pause(60);
    expect(lane.lost).toBe(false);
  });
});

describe('what a lane knows of itself', () => {
  it('is which models are open in it, how much it has run, and its memory', async () => {
    const { open } = puppetOpen({
      onPost: (request, link) => {
        const { id } = request;
        const output = { outputs: [], runMs: 1, laneMs: 1, rssBytes: 123 };
        queueMicrotask(() =>
          request.type === 'run' ? link.reply({ type: 'ran', id, output }) : link.answer(request),
        );
      },
    });
    const lane = new Lane(open);
    expect([lane.has('a'), lane.runs, lane.rssBytes]).toEqual([false, 0, undefined]);
    await lane.load(specOf('a'));
    await lane.run('a', multiBatch());
    expect([lane.has('a'), lane.runs, lane.rssBytes]).toEqual([true, 1, 123]);
    await lane.unload('a');
    expect(lane.has('a')).toBe(false);
  });
});

describe.each(KINDS)('a %s lane that hangs in a run', (kind) => {
  it('is given up, and ends: killed, or by itself when it comes back', async () => {
    const lane = new Lane(hanging(kind), { loadMs: 60_000, runMs: LIMIT_MS });
    await lane.load(specOf('multi_io'));
    expect(valuesAt(await lane.run('multi_io', multiBatch(1)))).toEqual([11]);
    expect(await failureOf(lane.run('multi_io', HANGS))).toMatch(/^WORKER_LOST: .*took longer than 3000 ms$/);
    expect(lane.lost).toBe(true);
    if (kind === 'thread') expect(lane.running).toBe(true);
    expect(await lane.ended).toMatch(kind === 'thread' ? /ended with code 0/ : /ended with SIGKILL/);
    expect(lane.running).toBe(false);
  });
});

describe('a process lane that is stopped (SIGSTOP) in a run', () => {
  it('is killed at the limit', async () => {
    const lane = new Lane(hanging('process'), { loadMs: 60_000, runMs: LIMIT_MS });
    await lane.load(specOf('multi_io'));
    process.kill(lane.pid ?? 0, 'SIGSTOP');
    expect(await failureOf(lane.run('multi_io', multiBatch(1)))).toMatch(/^WORKER_LOST: .*3000 ms$/);
    expect(await lane.ended).toMatch(/ended with SIGKILL/);
  });
});
