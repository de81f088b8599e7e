import { afterEach, describe, expect, it } from '@jest/globals';
import { Arbiter } from '../../src/executor/arbiter.js';
import type { Isolation, OpenLink } from '../../src/executor/link.js';
import { openLinkOf } from '../../src/executor/open-link.js';
import { LanePool, type Furnishing } from '../../src/executor/pool.js';
import { openProcessLink } from '../../src/executor/process-link.js';
import { openThreadLink } from '../../src/executor/thread-link.js';
import { failureOf, KINDS, multiBatch, slowBatch, specOf, valuesAt } from '../support/lanes.js';

const MORTAL = new URL('../support/mortal-worker.js', import.meta.url);
const mortal = (kind: Isolation): OpenLink =>
  kind === 'thread' ? openThreadLink(MORTAL) : openProcessLink(MORTAL);

const multi: Furnishing = { spec: specOf('multi_io'), warmup: [multiBatch(), multiBatch(5)] };
const slow: Furnishing = { spec: specOf('slow'), warmup: [] };

interface Started {
  readonly pool: LanePool;
  readonly restarts: string[];
  readonly faults: string[];
  /** Resolves at the next restart. */
  readonly restarted: () => Promise<void>;
}

let opened: LanePool | undefined;

const startPool = async (open: OpenLink, lanes = 2, startTimeoutMs?: number): Promise<Started> => {
  const restarts: string[] = [];
  const faults: string[] = [];
  const waiting: (() => void)[] = [];
  const pool = new LanePool({
    lanes,
    open,
    arbiter: new Arbiter(),
    ...(startTimeoutMs === undefined ? {} : { startTimeoutMs }),
    onRestart: (reason) => {
      restarts.push(reason);
      for (const resolve of waiting.splice(0)) resolve();
    },
    onFault: (message) => faults.push(message),
  });
  opened = pool;
  await pool.start();
  const restarted = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
  return { pool, restarts, faults, restarted };
};

afterEach(async () => {
  await opened?.close();
  opened = undefined;
});

/** Runs multi_io in the first lane, through whatever restart is under way. */
const tenOf = async (pool: LanePool): Promise<unknown> =>
  pool.onLane(async (lane) => valuesAt(await lane.run('multi_io', multiBatch())));

describe.each(KINDS)('a pool of %s lanes', (kind) => {
  it('has its models back after a lane died in a run', async () => {
    const { pool, restarts, faults } = await startPool(mortal(kind));
    await pool.furnish(multi, true);
    await pool.furnish(slow, false);
    for (let i = 1; i <= 3; i++) {
      const deadly = pool.onLane((lane) => lane.run('exit!', multiBatch()));
      expect(await failureOf(deadly)).toMatch(/^WORKER_LOST: .*code 7$/);
      expect(await tenOf(pool)).toEqual([10]);
      const answer = await pool.onLane((lane) => lane.run('slow', slowBatch()));
      expect(valuesAt(answer)[0]).toBe(2);
      expect(restarts).toHaveLength(i);
    }
    expect(faults).toEqual([]);
    expect(pool.states).toEqual(['idle', 'idle']);
  });

  it('does not give a replaced lane what was unfurnished', async () => {
    const { pool } = await startPool(mortal(kind), 1);
    await pool.furnish(multi, true);
    await pool.furnish(slow, true);
    await pool.unfurnish('slow');
    await failureOf(pool.onLane((lane) => lane.run('exit!', multiBatch())));
    expect(await failureOf(pool.onLane((lane) => lane.run('slow', slowBatch())))).toMatch(
      /^MODEL_UNAVAILABLE/,
    );
    expect(await tenOf(pool)).toEqual([10]);
  });

  it('opens a model while the lanes serve another', async () => {
    const { pool } = await startPool(openLinkOf(kind));
    await pool.furnish(multi, true);
    const done = pool.furnish(slow, false);
    const served = await Promise.all(Array.from({ length: 20 }, () => tenOf(pool)));
    expect(served).toEqual(new Array(20).fill([10]));
    await done;
    await pool.unfurnish('multi_io');
    expect(await failureOf(tenOf(pool))).toMatch(/^MODEL_UNAVAILABLE/);
  });

  it('says which file failed, and keeps its lanes', async () => {
    const { pool, restarts } = await startPool(openLinkOf(kind));
    await pool.furnish(multi, true);
    const failure = await failureOf(pool.furnish({ spec: specOf('broken'), warmup: [] }, true));
    expect(failure).toMatch(/^MODEL_LOAD_FAILED: .*broken\.onnx.*Protobuf/);
    expect(await tenOf(pool)).toEqual([10]);
    expect(restarts).toEqual([]);
  });
});

describe('a pool of process lanes', () => {
  it('replaces lanes that are killed idle, in a run, and while they are replaced', async () => {
    const { pool, restarts, restarted } = await startPool(openLinkOf('process'));
    await pool.furnish(multi, true);
    await pool.furnish(slow, true);
    const kill = (): void => {
      for (const pid of pool.pids) process.kill(pid, 'SIGKILL');
    };
    const [first, second] = pool.pids;
    expect(pool.pids).toHaveLength(2);

    kill();
    // Both: until its end is known, a dead lane takes a run and loses it.
    while (restarts.length < 2) await restarted();
    expect(await tenOf(pool)).toEqual([10]);

    const run = failureOf(pool.onLane((lane) => lane.run('slow', slowBatch(8))));
    // Queued behind it: the lane that takes its place serves it.
    const after = tenOf(pool);
    while (!pool.states.includes('running')) await new Promise((resolve) => setImmediate(resolve));
    kill();
    expect(await run).toMatch(/^WORKER_LOST: .*SIGKILL$/);
    expect(await after).toEqual([10]);

    expect(pool.pids).not.toContain(first);
    expect(pool.pids).not.toContain(second);
    expect(restarts.length).toBeGreaterThanOrEqual(3);
    for (const reason of restarts) expect(reason).toMatch(/SIGKILL/);
  });

  it('is quick to close while a lane is being replaced', async () => {
    const { pool, restarted } = await startPool(openLinkOf('process'));
    await pool.furnish(multi, true);
    const restart = restarted();
    process.kill(pool.pids[0] ?? 0, 'SIGKILL');
    await restart;
    expect(pool.states).toContain('starting');
    const waiting = failureOf(tenOf(pool));
    await pool.close();
    expect(await waiting).toMatch(/^WORKER_LOST/);
    expect(pool.pids).toEqual([]);
  });
});

describe('a lane that hangs while it starts', () => {
  it('is killed, and another one takes its place', async () => {
    let opened = 0;
    const pids: (number | undefined)[] = [];
    const silent = openProcessLink(new URL('../support/silent-worker.js', import.meta.url));
    const open: OpenLink = (events) => {
      const link = (++opened === 1 ? silent : openLinkOf('process'))(events);
      pids.push(link.pid);
      return link;
    };
    const { pool, restarts } = await startPool(open, 1, 3_000);
    await pool.furnish(multi, true);
    expect(await tenOf(pool)).toEqual([10]);
    expect(restarts).toEqual(['the lane was lost: it did not start within 3000 ms']);
    expect(pool.pids).toEqual([pids[1]]);
    expect(() => process.kill(pids[0] ?? 0, 0)).toThrow('ESRCH');
  });
});
