import { describe, expect, it } from '@jest/globals';
import type { Lane } from '../../src/executor/lane.js';
import { Slot } from '../../src/executor/slot.js';
import { settle } from '../support/fake-clock.js';
import { failureOf, multiBatch, specOf } from '../support/lanes.js';
import { puppetOpen, type PuppetOptions } from '../support/puppet-link.js';

const slotOf = (
  options: PuppetOptions = {},
  furnish: (lane: Lane) => Promise<void> = () => Promise.resolve(),
  timeouts: { startTimeoutMs?: number; furnishTimeoutMs?: number } = {},
): { slot: Slot; links: ReturnType<typeof puppetOpen>['links']; restarts: string[] } => {
  const { open, links } = puppetOpen(options);
  const restarts: string[] = [];
  const { startTimeoutMs = 60_000, furnishTimeoutMs = 60_000 } = timeouts;
  const slot = new Slot({
    open,
    furnish,
    startTimeoutMs,
    furnishTimeoutMs: () => furnishTimeoutMs,
    onRestart: (reason) => restarts.push(reason),
  });
  return { slot, links, restarts };
};

const openA = async (lane: Lane): Promise<void> => {
  await lane.load(specOf('a'));
};

describe('a slot', () => {
  it('opens and furnishes its lane before anybody gets it', async () => {
    const furnished: unknown[] = [];
    const { slot } = slotOf({}, async (lane) => {
      await lane.load(specOf('a'));
      furnished.push(lane);
    });
    expect(slot.open).toBeUndefined();
    const lane = await slot.lane();
    expect(furnished).toEqual([lane]);
    expect(slot.open).toBe(lane);
    await slot.close();
  });

  it('replaces a lane that dies, furnishes the new one, and says why', async () => {
    const { slot, links, restarts } = slotOf({}, openA);
    const first = await slot.lane();
    links[0]!.die('killed');
    expect(slot.open).toBeUndefined();
    const second = await slot.lane();
    expect(second).not.toBe(first);
    expect(second.lost).toBe(false);
    expect(links[1]!.types).toEqual(['load a']);
    expect(restarts).toEqual(['killed']);
    await slot.close();
  });

  it('backs off from starts that fail, and comes back', async () => {
    // The 2nd can't be opened, the 3rd and the 6th are stillborn, the 4th dies while it is furnished.
    const { slot, links, restarts } = slotOf(
      {
        onOpen: (link, count) => {
          if (count === 2) throw new Error('out of memory');
          queueMicrotask(() => (count === 3 || count === 6 ? link.die('stillborn') : link.ready()));
        },
        onPost: (request, link) =>
          queueMicrotask(() => (link === links[3] ? link.die('bad model') : link.answer(request))),
      },
      openA,
    );
    await slot.lane();
    const startedAt = performance.now();
    links[0]!.die('killed');
    const lane = await slot.lane();
    expect(lane.lost).toBe(false);
    expect(links).toHaveLength(5);
    expect(restarts.map((reason) => reason.replace('the lane was lost: ', ''))).toEqual([
      'killed',
      'out of memory',
      'stillborn',
      'bad model',
    ]);
    // 0 + 100 + 500 ms of pauses.
    expect(performance.now() - startedAt).toBeGreaterThan(550);
    // A lane that has served starts the count anew: now the first failure costs nothing.
    links[4]!.die('killed again');
    const againAt = performance.now();
    await slot.lane();
    expect(links).toHaveLength(7);
    expect(performance.now() - againAt).toBeLessThan(500);
    await slot.close();
  });

  it('gives up a lane that can not be furnished, instead of leaving it behind', async () => {
    let fails = 1;
    const { slot, links } = slotOf({}, () =>
      fails-- > 0 ? Promise.reject(new Error('no')) : Promise.resolve(),
    );
    await slot.lane();
    expect(links.map((link) => link.discarded)).toEqual([true, false]);
    await slot.close();
  });

  it('gives up a lane that does not start or open its models in time, and starts another', async () => {
    const { slot, links, restarts } = slotOf(
      {
        onOpen: (link, count) => {
          if (count !== 1) queueMicrotask(() => link.ready());
        },
        onPost: (request, link) => {
          if (link !== links[1]) queueMicrotask(() => link.answer(request));
        },
      },
      openA,
      { startTimeoutMs: 30, furnishTimeoutMs: 40 },
    );
    const lane = await slot.lane();
    expect(lane.lost).toBe(false);
    expect(links.map(({ discarded }) => discarded)).toEqual([true, true, false]);
    expect(restarts).toEqual([
      'the lane was lost: it did not start within 30 ms',
      'the lane was lost: it did not open its models within 40 ms',
    ]);
    await slot.close();
  });

  it.each(['close', 'discard'] as const)(
    'after %s opens nothing, and whoever waits gets WORKER_LOST',
    async (end) => {
      const { slot, links, restarts } = slotOf();
      await slot.lane();
      await slot[end]('bye');
      links[0]!.die('over');
      await settle();
      expect(await failureOf(slot.lane())).toMatch(/^WORKER_LOST/);
      expect(links).toHaveLength(1);
      expect(restarts).toEqual([]);
    },
  );

  it.each(['close', 'discard'] as const)('%s during a pause ends it', async (end) => {
    const { slot, links } = slotOf({ onOpen: (link) => queueMicrotask(() => link.die('stillborn')) });
    const waiting = failureOf(slot.lane());
    while (links.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    await settle();
    await slot[end]('bye');
    expect(await waiting).toMatch(/^WORKER_LOST/);
    expect(links).toHaveLength(2);
  });

  it.each(['close', 'discard'] as const)('%s during a restart ends the lane on its way', async (end) => {
    // The second lane never gets its model open.
    const { slot, links, restarts } = slotOf(
      {
        onPost: (request, link) => {
          if (link === links[0] || request.type === 'stop') queueMicrotask(() => link.answer(request));
        },
      },
      openA,
    );
    await slot.lane();
    links[0]!.die('killed');
    const waiting = failureOf(slot.lane());
    await settle();
    expect(links[1]!.types).toEqual(['load a']);
    expect(slot.running).toBe(true);
    await slot[end]('bye');
    expect(await waiting).toMatch(/^WORKER_LOST/);
    expect(end === 'close' ? links[1]!.types : links[1]!.discarded).toEqual(
      end === 'close' ? ['load a', 'stop'] : true,
    );
    expect(links).toHaveLength(2);
    expect(restarts).toEqual(['killed']);
  });

  it('is running while its lane is, even given up', async () => {
    const { slot, links } = slotOf({ onPost: () => undefined });
    const lane = await slot.lane();
    expect(slot.running).toBe(false);
    lane.run('a', multiBatch()).catch(() => undefined);
    expect(slot.running).toBe(true);
    slot.discard('bye');
    await settle();
    expect(slot.running).toBe(true);
    links[0]!.die('over');
    expect(slot.running).toBe(false);
  });
});
