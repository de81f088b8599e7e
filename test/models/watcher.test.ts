import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFile, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { stampOf } from '../../src/models/versions/stamp.js';
import { Watcher } from '../../src/models/watcher.js';
import { FakeClock } from '../support/fake-clock.js';
import { until } from '../support/start-gateway.js';
import { makeTempRoot, type TempRoot } from '../support/temp-root.js';

let root: TempRoot;
let watcher: Watcher;
let clock: FakeClock;
let served: Set<string>;
let log: string[];
let broken: string | undefined;
let wanted: '*' | readonly string[];
let failing: Error | undefined;
/** By name: what somebody else has loaded. */
let loadedAs: Map<string, string>;

/** Serves names without models. */
const registry = {
  get groups() {
    return [...served].map((name) => ({ name }));
  },
  get failures() {
    return new Map(broken === undefined || served.has(broken) ? [] : [[broken, 'failed']]);
  },
  pathOf: (name: string) => name,
  stampOf: (name: string) => loadedAs.get(name),
  refresh: (name: string) => {
    log.push(`refresh ${name}`);
    if (name === broken) return Promise.reject(new Error('broken'));
    served.add(name);
    return Promise.resolve();
  },
  drop: (name: string) => {
    log.push(`unload ${name}`);
    served.delete(name);
    return Promise.resolve();
  },
};

beforeEach(async () => {
  root = await makeTempRoot();
  clock = new FakeClock();
  log = [];
  broken = undefined;
  wanted = '*';
  failing = undefined;
  loadedAs = new Map();
  served = new Set(['old']);
  await root.copy('fixed_one', 'old/model.onnx');
  watcher = new Watcher({
    registry,
    clock,
    root: root.path,
    locate: (path) =>
      failing === undefined ? Promise.resolve(join(root.path, path)) : Promise.reject(failing),
    wanted: () => wanted,
    onChange: (what, model) => log.push(`${what} ${model}`),
    onFault: (model, reason) => log.push(`fault ${model} ${reason}`),
    onUnreadable: (model, reason) => log.push(`unreadable ${model} ${reason}`),
  });
  await watcher.start();
});
afterEach(async () => {
  watcher.close();
  await root.remove();
});

const looks = async (count: number): Promise<string[]> => {
  for (let i = 0; i < count; i++) await watcher.look();
  return log.splice(0);
};

describe('a look at the model root', () => {
  it('finds nothing to do where nothing has changed', async () => {
    expect(await looks(3)).toEqual([]);
  });

  it('loads a new folder when two looks in a row see the same, so that no half-copied one is opened', async () => {
    await root.copy('fixed_one', 'new/model.onnx');
    expect(await looks(1)).toEqual([]);
    await appendFile(join(root.path, 'new/model.onnx'), 'more');
    expect(await looks(1)).toEqual([]);
    expect(await looks(1)).toEqual(['refresh new', 'loaded new']);
    expect(await looks(2)).toEqual([]);
  });

  it('sees a new version, and a changed file anywhere below', async () => {
    await root.copy('fixed_one', 'many/1/model.onnx');
    expect(await looks(2)).toEqual(['refresh many', 'loaded many']);
    await root.copy('fixed_one', 'many/2/model.onnx');
    expect(await looks(2)).toEqual(['refresh many', 'loaded many']);
    await root.write('many/2/onnx/config.json', '{}');
    expect(await looks(2)).toEqual(['refresh many', 'loaded many']);
  });

  it('takes a copy or a touch of a known file for what it is', async () => {
    const file = join(root.path, 'old/model.onnx');
    await root.write('old/model.yaml', 'version: "2"');
    expect(await looks(2)).toEqual(['refresh old', 'loaded old']);
    await utimes(file, 1, 1);
    expect(await looks(3)).toEqual([]);
    await root.copy('fixed_batch', 'old/model.onnx');
    expect(await looks(2)).toEqual(['refresh old', 'loaded old']);
  });

  it('unloads what is removed', async () => {
    await rm(join(root.path, 'old'), { recursive: true });
    expect(await looks(1)).toEqual([]);
    expect(await looks(1)).toEqual(['unload old', 'unloaded old']);
    expect(await looks(2)).toEqual([]);
    await root.copy('fixed_one', 'old/model.onnx');
    expect(await looks(2)).toEqual(['refresh old', 'loaded old']);
  });

  it('tries what failed once, and again when its files change', async () => {
    broken = 'old';
    await root.write('old/model.yaml', 'task: nonsense');
    expect(await looks(2)).toEqual(['refresh old', 'fault old broken']);
    expect(await looks(3)).toEqual([]);
    broken = undefined;
    await root.write('old/model.yaml', 'task: tensor');
    expect(await looks(2)).toEqual(['refresh old', 'loaded old']);
  });

  it('leaves alone what somebody unloaded until its folder comes anew, and what is not wanted', async () => {
    served.delete('old');
    expect(await looks(2)).toEqual([]);
    await root.copy('fixed_batch', 'old/model.onnx');
    expect(await looks(3)).toEqual([]);
    await rm(join(root.path, 'old'), { recursive: true });
    expect(await looks(2)).toEqual([]);
    await root.copy('fixed_one', 'old/model.onnx');
    expect(await looks(2)).toEqual(['refresh old', 'loaded old']);
    wanted = ['other'];
    await root.copy('fixed_one', 'new/model.onnx');
    expect(await looks(2)).toEqual([]);
    // What serves though it is not on the list is kept like its files.
    await root.copy('fixed_batch', 'old/model.onnx');
    expect(await looks(2)).toEqual(['refresh old', 'loaded old']);
    served.delete('old');
    await root.copy('fixed_one', 'old/model.onnx');
    expect(await looks(3)).toEqual([]);
  });

  it('loads a new folder once more that could not be loaded, when its files change', async () => {
    broken = 'new';
    await root.copy('broken', 'new/model.onnx');
    expect(await looks(3)).toEqual(['refresh new', 'fault new broken']);
    await root.copy('fixed_one', 'new/model.onnx');
    expect(await looks(3)).toEqual(['refresh new', 'fault new broken']);
  });

  it('loads nothing again that somebody has loaded from the same files', async () => {
    served.add('new');
    await root.copy('fixed_one', 'new/model.onnx');
    loadedAs.set('new', await stampOf(join(root.path, 'new')));
    expect(await looks(3)).toEqual([]);
    await root.copy('fixed_batch', 'new/model.onnx');
    expect(await looks(3)).toEqual(['refresh new', 'loaded new']);
  });

  it('unloads nothing that can not be read, says so once, and goes on when it can be', async () => {
    failing = Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    await rm(join(root.path, 'old'), { recursive: true });
    expect(await looks(3)).toEqual(['unreadable old too many open files']);
    failing = undefined;
    expect(await looks(2)).toEqual(['unload old', 'unloaded old']);
  });

  it('unloads nothing where the root itself is gone', async () => {
    await rename(root.path, `${root.path}-away`);
    expect(await looks(3)).toEqual([]);
    await rename(`${root.path}-away`, root.path);
    expect(await looks(2)).toEqual([]);
  });
});

describe('a look by command', () => {
  it('ends when it is closed while files settle', async () => {
    await root.copy('fixed_one', 'new/model.onnx');
    const looking = watcher.lookNow();
    await until('it waits', () => clock.pendingTimers === 1);
    watcher.close();
    await looking;
    expect([clock.pendingTimers, log]).toEqual([0, []]);
  });
});

describe('polling', () => {
  it('looks again and again, until it is closed', async () => {
    watcher.every(500);
    await root.copy('fixed_one', 'new/model.onnx');
    for (let i = 0; i < 2; i++) {
      await clock.advance(500);
      await until('the next look is planned', () => clock.pendingTimers === 1);
    }
    expect(log).toEqual(['refresh new', 'loaded new']);
    watcher.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
