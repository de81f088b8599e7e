import { describe, expect, it } from '@jest/globals';
import type { Lane } from '../../src/executor/lane.js';
import type { Furnishing } from '../../src/executor/pool.js';
import type { LaneRequest } from '../../src/executor/protocol.js';
import { failureOf, rowsOf, specOf } from '../support/lanes.js';
import { values } from '../support/puppet-lanes.js';
import { turn } from '../support/puppet-model.js';
import { until } from '../support/start-gateway.js';
import { startPool } from '../support/puppet-pool.js';

const furnishing = (key: string, more: Partial<Furnishing> = {}): Furnishing => ({
  spec: specOf(key),
  warmup: [rowsOf(1), rowsOf(3)],
  ...more,
});

const keyOf = (request: LaneRequest): string =>
  request.type === 'load' ? request.spec.key : 'key' in request ? request.key : '';

describe('furnishing', () => {
  it.each([true, false])('opens and warms a model in every lane (all at once: %s)', async (atOnce) => {
    const { pool, links } = await startPool(3, () => false);
    await pool.furnish(furnishing('a', { fillTo: 4 }), atOnce);
    for (const link of links) {
      expect(link.types).toEqual(['load a', 'run a', 'run a']);
      expect(link.requests[2]).toMatchObject({ fillTo: 4, batch: { rows: 3 } });
    }
    await pool.unfurnish('a');
    for (const link of links) expect(link.types.at(-1)).toBe('unload a');
    await pool.close();
  });

  it('goes lane by lane, while the others serve', async () => {
    const { pool, links, held, model, answer } = await startPool(2, ({ type }) => type !== 'stop');
    const done = pool.furnish(furnishing('new', { warmup: [] }), false);
    await turn();
    expect(links.map((link) => link.types)).toEqual([['load new'], []]);
    const one = model('one', { maxBatch: 1 });
    const ticket = one.submit('a b');
    await turn();
    expect(links.map((link) => link.types)).toEqual([['load new'], ['run one']]);
    const [load, run] = held.splice(0);
    load!.link.answer(load!.request);
    await turn();
    // The first lane serves again; the second is wanted for the model, and is busy.
    expect(links.map((link) => link.types)).toEqual([['load new', 'run one'], ['run one']]);
    run!.link.answer(run!.request);
    await turn();
    expect(links[1]!.types).toEqual(['run one', 'load new']);
    while (held.length > 0) {
      answer();
      await turn();
    }
    await done;
    expect(await values(ticket)).toEqual(['A', 'B']);
    await pool.close();
  });

  it('that fails in one lane is undone in all, and a replacement does not get it', async () => {
    const { pool, links, held } = await startPool(
      2,
      (request) => keyOf(request) === 'bad' && request.type === 'run',
    );
    const done = failureOf(pool.furnish(furnishing('bad'), false));
    await turn();
    const { link, request } = held[0]!;
    link.reply({ type: 'failed', id: request.id, error: { code: 'EXECUTION_FAILED', message: 'no' } });
    expect(await done).toBe('EXECUTION_FAILED: no');
    expect(links.map(({ types }) => types)).toEqual([['load bad', 'run bad', 'unload bad'], ['unload bad']]);
    links[0]!.die('killed');
    await turn();
    expect(links[2]!.types).toEqual([]);
    await pool.close();
  });

  it('is undone when the lane dies of it', async () => {
    const { pool, links, restarts, faults } = await startPool(
      1,
      (request) => keyOf(request) === 'bad' && request.type === 'load',
    );
    const done = failureOf(pool.furnish(furnishing('bad'), true));
    await turn();
    links[0]!.die('crashed');
    // Its replacement was told to open it too, before anybody knew.
    await turn();
    links[1]!.die('crashed');
    expect(await done).toMatch(/^WORKER_LOST: .*crashed/);
    expect(links[2]!.types.filter((type) => type !== 'unload bad')).toEqual([]);
    expect(restarts.length).toBeGreaterThanOrEqual(2);
    expect(faults).toEqual([]);
    expect(pool.states).toEqual(['idle']);
    await pool.close();
  });

  it('gives a replaced lane all models, warm, before it takes work', async () => {
    const { pool, links, held, model, answer } = await startPool(1, ({ type }) => type === 'run');
    for (const key of ['a', 'b']) {
      const done = pool.furnish(furnishing(key, { warmup: [rowsOf(1)], fillTo: 2 }), true);
      await turn();
      answer();
      await done;
    }
    const ticket = model('a').submit('x');
    await turn();
    expect(held).toHaveLength(1);
    held.length = 0;
    links[0]!.die('killed');
    await turn();
    expect(links[1]!.types).toEqual(['load a', 'run a']);
    expect(held[0]!.request).toMatchObject({ fillTo: 2 });
    answer();
    await turn();
    expect(links[1]!.types).toEqual(['load a', 'run a', 'load b', 'run b']);
    answer();
    await turn();
    // The batch that was lost runs again.
    expect(links[1]!.types.at(-1)).toBe('run a');
    answer();
    expect(await values(ticket)).toEqual(['X']);
    await pool.close();
  });

  it('passes over one model that does not open again, and says so', async () => {
    const { pool, links, held, faults } = await startPool(
      1,
      (request) => request.type === 'load' && links.length > 1,
    );
    for (const key of ['gone', 'there']) await pool.furnish(furnishing(key, { warmup: [] }), true);
    links[0]!.die('killed');
    await turn();
    const { link, request } = held.shift()!;
    link.reply({ type: 'failed', id: request.id, error: { code: 'MODEL_LOAD_FAILED', message: 'no file' } });
    await turn();
    expect(keyOf(held[0]!.request)).toBe('there');
    link.answer(held[0]!.request);
    await turn();
    expect(pool.states).toEqual(['idle']);
    expect(faults).toEqual(['gone: not opened again: no file']);
    await pool.close();
  });

  it('is asked for again, until the lane that lacks a model has opened it', async () => {
    const { pool, links, faults } = await startPool(1, undefined, undefined, { reopenAfterMs: 1 });
    let isChanged = false;
    const requireSame = (): Promise<void> =>
      isChanged ? Promise.reject(new Error('changed')) : Promise.resolve();
    await pool.furnish(furnishing('a', { warmup: [], requireSame }), true);
    isChanged = true;
    links[0]!.die('killed');
    await until('it has been tried again', () => faults.length > 2);
    expect(new Set(faults)).toEqual(new Set(['a: not opened again: changed']));
    expect([pool.lanesWith('a'), pool.lanesFor('a')]).toEqual([0, 0]);
    isChanged = false;
    await until('it is open again', () => pool.lanesWith('a') === 1);
    expect(links[1]!.types).toEqual(['load a']);
    await pool.close();
  });

  it('closes a model whose files have changed while a lane has read them', async () => {
    const { pool, links } = await startPool(1);
    let tries = 0;
    const requireSame = (): Promise<void> =>
      ++tries === 4 ? Promise.reject(new Error('changed')) : Promise.resolve();
    await pool.furnish(furnishing('a', { warmup: [], requireSame }), true);
    links[0]!.die('killed');
    await turn();
    expect(links[1]!.types).toEqual(['load a', 'unload a']);
    expect(pool.lanesFor('a')).toBe(0);
    await pool.close();
  });

  it('sends each lane warm-up batches of its own', async () => {
    const { pool, links } = await startPool(2, () => false);
    const data = new Float32Array(3);
    const batch = rowsOf(1, { dtype: 'float32', dims: [1, 3], data });
    await pool.furnish(furnishing('a', { warmup: [batch] }), true);
    const sent = links.map(({ requests }) => requests.find(({ type }) => type === 'run'));
    for (const request of sent) {
      expect(request).toMatchObject({ batch: { rows: 1, inputs: [{ dtype: 'float32', dims: [1, 3] }] } });
      expect(request?.type === 'run' && request.batch).not.toBe(batch);
    }
    await pool.close();
  });
});

describe('work on one lane', () => {
  it('has it alone, before claims that wait, and gives back what it made', async () => {
    const { pool, model, answer, links } = await startPool(1);
    const one = model('one', { maxBatch: 1 });
    const ticket = one.submit('a b');
    await turn();
    let end!: () => void;
    const work = pool.onLane(async (lane: Lane) => {
      await lane.load(specOf('trial'));
      await new Promise<void>((resolve) => (end = resolve));
      return 'made';
    });
    await turn();
    expect(links[0]!.types).toEqual(['run one']);
    answer();
    await turn();
    expect(links[0]!.types).toEqual(['run one', 'load trial']);
    end();
    expect(await work).toBe('made');
    await turn();
    expect(links[0]!.types).toEqual(['run one', 'load trial', 'run one']);
    answer();
    expect(await values(ticket)).toEqual(['A', 'B']);
    expect(await failureOf(pool.onLane(() => Promise.reject(new Error('bad'))))).toMatch(/bad/);
    await pool.close();
  });

  it.each(['close', 'discard'] as const)('is WORKER_LOST after %s', async (end) => {
    const { pool, links } = await startPool(2);
    const closing = pool[end]();
    for (const link of links) link.die('over');
    await closing;
    expect(await failureOf(pool.onLane(() => Promise.resolve()))).toMatch(/^WORKER_LOST/);
    expect(await failureOf(pool.furnish(furnishing('a'), true))).toMatch(/^WORKER_LOST/);
    await pool.unfurnish('a');
  });
});
