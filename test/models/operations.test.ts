import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { codeOf } from '../../src/errors.js';
import type { Payload } from '../../src/executor/join.js';
import { openLinkOf } from '../../src/executor/open-link.js';
import type { ServedModel } from '../../src/models/served-model.js';
import { SeededRandom } from '../chaos/seeded-random.js';
import { f32 } from '../support/lanes.js';
import { ask, startModelHost, type ModelHost } from '../support/model-host.js';
import { until } from '../support/start-gateway.js';
import { makeTempRoot, type TempRoot } from '../support/temp-root.js';

const OPERATIONS = 30;
const NAMES = ['a', 'b'];
/** Folder -> what it answers to 10; `bad` can't be loaded. */
const ANSWERS: Readonly<Record<string, number>> = { triple: 31, next: 11 };
const FOLDERS = [...Object.keys(ANSWERS), 'bad'];
const x: Payload = { kind: 'tensors', rows: 1, inputs: [f32([1, 3], [10, 10, 10])] };

let root: TempRoot;
let host: ModelHost;
beforeEach(async () => {
  root = await makeTempRoot();
  await root.copy('fixed_batch', 'triple/model.onnx');
  await root.copy('fixed_one', 'next/model.onnx');
  await root.copy('broken', 'bad/model.onnx');
  host = await startModelHost(root.path, openLinkOf('thread'), {
    batching: { calibrate: 'off', batchInvariance: 'off' },
  });
  host.registry.open();
});
afterEach(async () => {
  await host.close();
  await root.remove();
});

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** What a registry should have after operations in this order, and each should end with. */
class Expected {
  readonly served = new Map<string, string>();
  readonly #paths = new Map<string, string>();
  /** Refreshed in vain while nothing was served: an unload takes that note away. */
  readonly #failed = new Set<string>();

  load(name: string, folder: string): string {
    if (folder === 'bad') return 'MODEL_LOAD_FAILED';
    this.served.set(name, folder);
    this.#failed.delete(name);
    this.#paths.set(name, folder);
    return 'ok';
  }

  /** Of what was never loaded there is no folder. */
  refresh(name: string): string {
    const end = this.load(name, this.#paths.get(name) ?? 'bad');
    if (end !== 'ok' && !this.served.has(name)) this.#failed.add(name);
    return end;
  }

  unload(name: string): string {
    const isKnown = this.served.delete(name) || this.#failed.delete(name);
    return isKnown ? 'ok' : 'MODEL_NOT_FOUND';
  }
}

type Operation = { readonly end: Promise<string>; readonly expected: string };

const operate = (random: SeededRandom, expected: Expected): Operation => {
  const { registry } = host;
  const name = random.pick(NAMES);
  const folder = random.pick(FOLDERS);
  const endOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'ok', codeOf);
  switch (random.weighted({ load: 5, refresh: 2, unload: 2, drop: 1 })) {
    case 'load':
      return { end: endOf(registry.load(name, folder)), expected: expected.load(name, folder) };
    case 'refresh':
      return { end: endOf(registry.refresh(name)), expected: expected.refresh(name) };
    case 'unload':
      return { end: endOf(registry.unload(name)), expected: expected.unload(name) };
    case 'drop':
      return { end: endOf(registry.drop(name)), expected: expected.unload(name) };
  }
};

interface Traffic {
  /** @returns what went wrong */
  stop(): Promise<readonly string[]>;
}

/** Callers who look a model up and ask it several times, as a stream does, with pauses of any length. */
const traffic = (random: SeededRandom): Traffic => {
  const problems: string[] = [];
  let isOver = false;
  let asked = 0;
  const request = async (model: ServedModel): Promise<void> => {
    const answers = new Set<unknown>();
    for (let part = random.between(1, 4); part > 0; part--) {
      await turns(random.between(0, 20));
      answers.add((await ask(model, [x]))[0]?.[0]);
      asked++;
    }
    const [answer] = answers;
    if (answers.size !== 1 || !Object.values(ANSWERS).some((right) => right === answer))
      problems.push(`${model.key}: ${[...answers].join()}`);
  };
  const caller = async (): Promise<void> => {
    while (!isOver) {
      const name = random.pick(NAMES);
      const model = host.registry.findGroup(name)?.current;
      await model
        ?.during(() => request(model))
        .catch((error: unknown) => problems.push(`${model.key}: ${String(error)}`));
      await turns(1);
    }
  };
  const callers = Promise.all(Array.from({ length: 6 }, caller));
  return {
    stop: async () => {
      isOver = true;
      await callers;
      return asked > 0 ? problems : ['nobody was served'];
    },
  };
};

/** Models that are in no lane any more although they are served, or are though they are not. */
const leftOver = (): readonly string[] => {
  const { log, registry } = host;
  const count = (word: string): number => log.filter((line) => line.startsWith(word)).length;
  const open = count('loaded') - count('retired');
  return [
    ...(open === registry.allVersions.length ? [] : [`${open} open, ${registry.allVersions.length} served`]),
    ...log.filter((line) => /^(fault|restart)/.test(line)),
  ];
};

describe('operations that come at once, in any order', () => {
  it.each([1, 2, 3])(
    'drop no request, and the last one wins (seed %i)',
    async (seed) => {
      const random = new SeededRandom(seed);
      const expected = new Expected();
      const load = traffic(new SeededRandom(seed + 100));
      const operations: Operation[] = [];
      while (operations.length < OPERATIONS) {
        for (let burst = random.between(1, 6); burst > 0; burst--) operations.push(operate(random, expected));
        // Some bursts meet the one before them, others find all at rest.
        if (random.next() < 0.5) await Promise.all(operations.map(({ end }) => end));
        else await turns(random.between(0, 50));
      }
      expect(await Promise.all(operations.map(({ end }) => end))).toEqual(
        operations.map((each) => each.expected),
      );
      expect(await load.stop()).toEqual([]);
      const answers = host.registry.groups.map(async ({ name, current }) => [
        name,
        (await ask(current, [x]))[0]?.[0],
      ]);
      const right = [...expected.served].map(([name, folder]) => [name, ANSWERS[folder]]).sort();
      expect(await Promise.all(answers)).toEqual(right);
      for (const { key } of host.registry.all) expect(host.pool.lanesWith(key)).toBe(2);
      await until('all that went is freed', () => host.registry.retiring.size === 0);
      expect(leftOver()).toEqual([]);
    },
    60_000,
  );

  it.each([4, 5, 6, 7, 8, 9])(
    'all end when the gateway closes, and nothing opens after that (seed %i)',
    async (seed) => {
      const random = new SeededRandom(seed);
      const { registry, pool } = host;
      await registry.load('a', 'next');
      const load = traffic(new SeededRandom(seed + 100));
      const operations = Array.from({ length: 12 }, () => operate(random, new Expected()));
      await turns(random.between(0, 300));
      // As the gateway does: first no more requests come.
      expect(await load.stop()).toEqual([]);
      await registry.drain();
      const served = registry.allVersions;
      // The one that is under way loses its lane, or comes to its end.
      if (seed % 2 === 0) await pool.close();
      const ends = await Promise.all(operations.map(({ end }) => end));
      await pool.close();
      expect(ends.at(-1)).toBe('DRAINING');
      expect(registry.allVersions).toEqual(served);
      expect(await registry.load('a', 'next').then(() => 'ok', codeOf)).toBe('DRAINING');
      await until('all that went is freed', () => host.registry.retiring.size === 0);
      expect(leftOver()).toEqual([]);
    },
    60_000,
  );
});
