import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Ride } from '#batcher';
import { cachePolicyOf } from '../../src/cache/policy.js';
import { rideCached } from '../../src/cache/ride-cached.js';
import type { CacheUse, ItemOutput } from '../../src/infer.js';
import { FakeBatcher, firstOf, itemsOf, makeWorld, type World } from './support.js';

let batcher: FakeBatcher;
let world: World;
beforeEach(() => {
  batcher = new FakeBatcher();
  world = makeWorld();
});

/** Asks, and waits until the answers are kept. */
const ask = async (
  ids: readonly number[],
  header?: string,
  onRide?: (index: number, ride: Ride<ItemOutput>) => void,
): Promise<{ values: unknown[]; use: CacheUse }> => {
  const { ticket, use } = await rideCached(
    world.cache,
    itemsOf(...ids),
    cachePolicyOf(header),
    batcher.submit,
    onRide,
  );
  const values = firstOf(await ticket.rides);
  await nextTurn();
  await nextTurn();
  return { values, use };
};

describe('a request through the cache', () => {
  it('runs what is new and is answered from it the second time', async () => {
    expect(await ask([1, 2])).toEqual({ values: [10, 20], use: { result: 'miss', hitRows: 0, missRows: 2 } });
    world.advance(3_000);
    expect(await ask([1, 2])).toEqual({
      values: [10, 20],
      use: { result: 'hit', hitRows: 2, missRows: 0, ageMs: 3_000 },
    });
    expect(batcher.submits).toEqual([[1, 2]]);
  });

  it('lets only its misses ride, and answers in its own order', async () => {
    await ask([2]);
    await ask([4]);
    const heard: [number, unknown][] = [];
    const { values, use } = await ask([1, 2, 3, 4, 5], undefined, (index, { value }) =>
      heard.push([index, value.outputs[0]?.data[0]]),
    );
    expect(values).toEqual([10, 20, 30, 40, 50]);
    expect(use).toMatchObject({ result: 'partial', hitRows: 2, missRows: 3 });
    expect(batcher.submits.at(-1)).toEqual([1, 3, 5]);
    expect(heard.sort(([a], [b]) => a - b)).toEqual([0, 1, 2, 3, 4].map((i) => [i, 10 * (i + 1)]));
  });

  it('keeps the answer without the padding of its batch', async () => {
    await ask([1]);
    const [looked] = await world.cache.look(itemsOf(1), cachePolicyOf(undefined));
    expect(looked?.found?.value.outputs.map(({ dims, data }) => [dims, [...data]])).toEqual([[[1, 1], [10]]]);
  });

  it('hands out tensors of its own each time', async () => {
    await ask([1]);
    const look = async (): Promise<ItemOutput | undefined> =>
      (await world.cache.look(itemsOf(1), cachePolicyOf(undefined)))[0]?.found?.value;
    const first = await look();
    const data = first?.outputs[0]?.data;
    if (data !== undefined && !Array.isArray(data)) data.fill(0 as never);
    expect((await look())?.outputs[0]?.data[0]).toBe(10);
  });

  it('is refused whole when its misses are, and hears nothing', async () => {
    await ask([1]);
    batcher.refusal = new Error('full');
    const heard: number[] = [];
    await expect(ask([1, 2], undefined, (index) => heard.push(index))).rejects.toThrow('full');
    expect(heard).toEqual([]);
    // Nothing has to ride for this one.
    expect((await ask([1])).values).toEqual([10]);
  });

  it('fails with the run of its misses, of which nothing is kept', async () => {
    batcher.failure = new Error('broken');
    await expect(ask([7])).rejects.toThrow('broken');
    batcher.failure = undefined;
    expect((await ask([7])).use.result).toBe('miss');
  });

  it('cancels what rides', async () => {
    const { ticket } = await rideCached(world.cache, itemsOf(1), cachePolicyOf(undefined), batcher.submit);
    ticket.cancel();
    expect(batcher.cancelled).toBe(1);
    await ticket.rides;
  });
});

describe('Cache-Control', () => {
  it('no-cache runs it again, and keeps the new answer', async () => {
    await ask([1]);
    world.advance(5_000);
    expect((await ask([1], 'no-cache')).use.result).toBe('miss');
    expect((await ask([1])).use).toMatchObject({ result: 'hit', ageMs: 0 });
    expect(batcher.submits).toEqual([[1], [1]]);
  });

  it('no-store neither reads nor writes', async () => {
    expect((await ask([1], 'no-store')).use.result).toBe('bypass');
    expect((await ask([1])).use.result).toBe('miss');
    expect((await ask([1], 'no-store')).use.result).toBe('bypass');
    expect(batcher.submits).toHaveLength(3);
  });

  it('max-age takes nothing older', async () => {
    await ask([1]);
    world.advance(5_000);
    expect((await ask([1], 'max-age=5')).use.result).toBe('hit');
    expect((await ask([1], 'max-age=4')).use.result).toBe('miss');
  });
});

describe('what is kept', () => {
  it('is forgotten after its time', async () => {
    await ask([1]);
    world.advance(9_999);
    expect((await ask([1])).use.result).toBe('hit');
    world.advance(1);
    expect((await ask([1])).use.result).toBe('miss');
  });

  it('stays within its bytes, the least recently used going first', async () => {
    world = makeWorld({ maxBytes: 3_000 });
    for (let id = 1; id <= 50; id++) {
      await ask([id]);
      await ask([1]);
    }
    expect(world.memory.bytes).toBeLessThanOrEqual(3_000);
    expect((await ask([1])).use.result).toBe('hit');
    expect((await ask([2])).use.result).toBe('miss');
  });

  it('is a miss when it is no answer of this model', async () => {
    await ask([1]);
    const [looked] = await world.cache.look(itemsOf(1), cachePolicyOf(undefined));
    world.memory.set(
      looked?.key ?? '',
      { body: new Uint8Array([1, 2, 3]), atUnixMs: 1_700_000_000_000 },
      1_000,
    );
    expect(await ask([1])).toMatchObject({ values: [10], use: { result: 'miss' } });
    expect(world.corrupt()).toBe(1);
  });

  it('of thousands of items keeps its order', async () => {
    const ids = Array.from({ length: 1_000 }, (_, i) => i);
    await ask(ids.filter((id) => id % 3 === 0));
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    const { values, use } = await ask(ids);
    expect(values).toEqual(ids.map((id) => 10 * id));
    expect(use).toMatchObject({ hitRows: 334, missRows: 666 });
  });
});
