import { describe, expect, it } from '@jest/globals';
import { Lane } from '../../src/executor/lane.js';
import type { Isolation, OpenLink } from '../../src/executor/link.js';
import { openLinkOf } from '../../src/executor/open-link.js';
import { openProcessLink } from '../../src/executor/process-link.js';
import { openThreadLink } from '../../src/executor/thread-link.js';
import { failureOf, KINDS, multiBatch, slowBatch, specOf, valuesAt, withLane } from '../support/lanes.js';

const WORKER = new URL('../support/mortal-worker.js', import.meta.url);

const mortal = (kind: Isolation): OpenLink =>
  kind === 'thread' ? openThreadLink(WORKER) : openProcessLink(WORKER);

/** Reads `key`, which the worker does not survive, between two runs. */
const dieOf = async (key: string, kind: Isolation, reason: RegExp): Promise<void> => {
  const lane = new Lane(mortal(kind));
  await lane.load(specOf('slow'));
  expect(valuesAt(await lane.run('slow', slowBatch()))[0]).toBe(2);
  const deadly = failureOf(lane.run(key, multiBatch()));
  const waiting = failureOf(lane.run('slow', slowBatch()));
  for (const failure of [await deadly, await waiting]) {
    expect(failure).toMatch(/^WORKER_LOST: /);
    expect(failure).toMatch(reason);
  }
  expect(await lane.ended).toMatch(reason);
  expect(await failureOf(lane.load(specOf('slow')))).toMatch(/^WORKER_LOST/);
};

describe('a thread lane', () => {
  it('that throws rejects all that it had, with the reason', () =>
    dieOf('throw!', 'thread', /thrown on purpose$/));
});

describe.each(KINDS)('a %s lane', (kind) => {
  it('that exits rejects all that it had', () => dieOf('exit!', kind, /code 7$/));

  it('that dies leaves others alone', () =>
    withLane(mortal(kind), async (other) => {
      await other.load(specOf('slow'));
      const run = other.run('slow', slowBatch());
      const lane = new Lane(mortal(kind));
      expect(await failureOf(lane.unload('exit!'))).toMatch(/^WORKER_LOST/);
      expect(valuesAt(await run)[0]).toBe(2);
    }));
});

/** Runs `work` while a process lane is killed, and says how the lane and the work ended. */
const killDuring = async (
  prepare: (lane: Lane) => Promise<unknown>,
  work: (lane: Lane) => Promise<unknown>,
): Promise<{ ended: string; failure: string }> => {
  const lane = new Lane(openLinkOf('process'));
  await prepare(lane);
  const pid = lane.pid ?? 0;
  const failure = failureOf(work(lane));
  process.kill(pid, 'SIGKILL');
  const ended = (await lane.ended).replace(String(pid), 'PID');
  return { ended, failure: (await failure).replace(String(pid), 'PID') };
};

const KILLED = {
  ended: 'process PID ended with SIGKILL',
  failure: 'WORKER_LOST: the lane was lost: process PID ended with SIGKILL',
};

describe('SIGKILL of a process lane', () => {
  it('in a run', async () => {
    const prepare = (lane: Lane): Promise<unknown> => lane.load(specOf('slow'));
    expect(await killDuring(prepare, (lane) => lane.run('slow', slowBatch(8)))).toEqual(KILLED);
  });

  it('while it opens a model', async () => {
    const prepare = (lane: Lane): Promise<unknown> => lane.ready;
    expect(await killDuring(prepare, (lane) => lane.load(specOf('slow')))).toEqual(KILLED);
  });

  it('before it is ready', async () => {
    expect(
      await killDuring(
        () => Promise.resolve(),
        (lane) => lane.ready,
      ),
    ).toEqual(KILLED);
  });

  it('when idle: what is asked before anybody knows is rejected too', async () => {
    const prepare = (lane: Lane): Promise<unknown> => lane.load(specOf('multi_io'));
    const outcome = await killDuring(
      async (lane) => {
        await prepare(lane);
        process.kill(lane.pid ?? 0, 'SIGKILL');
      },
      (lane) => lane.run('multi_io', multiBatch()),
    );
    expect(outcome).toEqual(KILLED);
  });
});
