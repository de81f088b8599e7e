import { describe, expect, it } from '@jest/globals';
import { Arbiter } from '../../src/executor/arbiter.js';
import { LanePool } from '../../src/executor/pool.js';
import type { PoolDeps } from '../../src/executor/pool-deps.js';
import { failureOf, multiBatch, specOf } from '../support/lanes.js';
import { puppetOpen, type PuppetLink, type PuppetOptions } from '../support/puppet-link.js';
import { turn } from '../support/puppet-model.js';

interface Harness {
  readonly pool: LanePool;
  readonly links: PuppetLink[];
  readonly log: string[];
}

/** Runs of `hang` are never answered. */
const startPool = async (
  deps: Partial<PoolDeps>,
  onPost: PuppetOptions['onPost'] = (request, link) => {
    if (request.type !== 'run' || request.key !== 'hang') queueMicrotask(() => link.answer(request));
  },
): Promise<Harness> => {
  const { open, links } = puppetOpen({ onPost });
  const log: string[] = [];
  const pool = new LanePool({
    ...{ lanes: 1, open, arbiter: new Arbiter() },
    limits: { loadMs: 30, runMs: 30 },
    onRestart: (reason) => log.push(`restart: ${reason}`),
    onRecycle: (reason) => log.push(`recycle: ${reason.replace(/process \S+/, 'process')}`),
    onStuck: (count) => log.push(`stuck: ${count}`),
    onNoneLeft: () => log.push('none left'),
    onFault: (message) => log.push(`fault: ${message}`),
    ...deps,
  });
  await pool.start();
  return { pool, links, log };
};

const hang = (pool: LanePool): Promise<string> =>
  failureOf(pool.onLane((lane) => lane.run('hang', multiBatch())));
const furnishing = (key: string) => ({ spec: specOf('multi_io', { key }), warmup: [multiBatch()] });

describe('a lane that hangs', () => {
  it('is replaced at once, while it is still inside the runtime', async () => {
    const { pool, links, log } = await startPool({});
    await pool.furnish(furnishing('a'), true);
    expect(await hang(pool)).toBe('WORKER_LOST: the lane was lost: run took longer than 30 ms');
    expect(await failureOf(pool.onLane((lane) => lane.run('a', multiBatch())))).toBe('answered');
    expect([links.length, pool.abandoned, pool.isRunning, pool.lanesWith('a')]).toEqual([2, 1, true, 1]);
    expect(links[0]!.discarded).toBe(true);
    links[0]!.die('came back');
    await turn();
    expect([pool.abandoned, pool.isRunning]).toEqual([0, false]);
    expect(log).toEqual(['restart: run took longer than 30 ms']);
    await pool.close();
  });

  it('is not replaced beyond the limit, until another one comes back', async () => {
    const { pool, links, log } = await startPool({ maxAbandoned: 1 });
    expect(pool.sparesLanes).toBe(true);
    await hang(pool);
    expect(pool.sparesLanes).toBe(false);
    await hang(pool);
    await turn();
    expect([links.length, pool.abandoned, pool.isStuck, pool.states]).toEqual([2, 2, true, ['vacant']]);
    expect(log.filter((line) => !line.startsWith('restart'))).toEqual(['stuck: 2', 'none left']);
    links[0]!.die('came back');
    expect(await failureOf(pool.onLane((lane) => lane.run('a', multiBatch())))).toBe('answered');
    expect([links.length, pool.abandoned, pool.isStuck]).toEqual([3, 1, false]);
    expect(pool.sparesLanes).toBe(false);
    links[1]!.die('came back');
    await turn();
    expect(pool.sparesLanes).toBe(true);
    await pool.close();
  });

  it('without a replacement keeps no close from ending', async () => {
    const { pool } = await startPool({ maxAbandoned: 0 });
    await hang(pool);
    await turn();
    expect(pool.isStuck).toBe(true);
    await pool.close();
    expect(await failureOf(pool.onLane(() => Promise.resolve()))).toMatch(/^WORKER_LOST/);
  });
});

describe('a model that lanes die of while they open it', () => {
  it('is left out by the third, which serves the others', async () => {
    let deadly = false;
    const { pool, links, log } = await startPool(
      { limits: { loadMs: 60_000, runMs: 60_000 } },
      (request, link) =>
        queueMicrotask(() => {
          if (deadly && request.type === 'load' && request.spec.key === 'bad') link.die('crashed');
          else link.answer(request);
        }),
    );
    await pool.furnish(furnishing('bad'), true);
    await pool.furnish(furnishing('good'), true);
    deadly = true;
    links[0]!.die('killed');
    expect(await failureOf(pool.onLane((lane) => lane.run('good', multiBatch())))).toBe('answered');
    expect([pool.lanesWith('bad'), pool.lanesWith('good'), links.length]).toEqual([0, 1, 4]);
    expect(log.at(-1)).toBe('fault: bad: not opened again: 2 lanes were lost while they opened it');
    // The next lane tries once more.
    deadly = false;
    links[3]!.die('killed');
    expect(await failureOf(pool.onLane((lane) => lane.run('bad', multiBatch())))).toBe('answered');
    expect(pool.lanesWith('bad')).toBe(1);
    await pool.close();
  });
});

describe('lanes that grow', () => {
  /** Every answer says that the lane holds 200 bytes. */
  const grown = (request: Parameters<NonNullable<PuppetOptions['onPost']>>[0], link: PuppetLink): void =>
    queueMicrotask(() => {
      const { id } = request;
      if (request.type === 'run')
        link.reply({ type: 'ran', id, output: { outputs: [], runMs: 1, laneMs: 1, rssBytes: 200 } });
      else link.answer(request);
    });
  const runs = async (pool: LanePool, count: number): Promise<void> => {
    await pool.onLane(async (lane) => {
      for (let i = 0; i < count; i++) await lane.run('a', multiBatch());
    });
  };

  it('are replaced between two runs, with their models, and are not counted as lost', async () => {
    const { pool, links, log } = await startPool({ maxRssBytes: 100 }, grown);
    await pool.furnish({ ...furnishing('a'), warmup: [] }, true);
    await runs(pool, 99);
    expect(links).toHaveLength(1);
    await runs(pool, 1);
    // Who asks meanwhile waits for the new one.
    await runs(pool, 1);
    expect([links.length, links[0]!.discarded, pool.lanesView.lost, pool.lanesWith('a')]).toEqual([
      2,
      false,
      0,
      1,
    ]);
    expect(links[0]!.types.at(-1)).toBe('stop');
    expect(log).toEqual(['recycle: process holds 200 bytes, more than lanes.maxRssBytes (100)']);
    await pool.close();
  });

  it('one at a time', async () => {
    let ends = 0;
    const { pool, links } = await startPool({ lanes: 2, maxRssBytes: 100 }, (request, link) => {
      if (request.type === 'stop' && ends++ === 0) return;
      grown(request, link);
    });
    await pool.onEveryLane(async (lane) => {
      for (let i = 0; i < 100; i++) await lane.run('a', multiBatch());
    });
    await turn();
    const stopping = links.filter((link) => link.types.includes('stop'));
    expect([stopping.length, links.length, pool.states.filter((state) => state === 'idle').length]).toEqual([
      1, 2, 1,
    ]);
    stopping[0]!.die('stopped');
    await turn();
    expect(links).toHaveLength(3);
    await pool.close();
  });

  it('are left alone without a limit, and below it', async () => {
    for (const maxRssBytes of [0, 200]) {
      const { pool, links } = await startPool({ maxRssBytes }, grown);
      await runs(pool, 150);
      expect(links).toHaveLength(1);
      await pool.close();
    }
  });
});
