import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { appendFile, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
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

/** Serves names without models. */
const registry = {
  get groups() {
    return [...served].map((name) => ({ name }));
  },
  failures: new Map<string, unknown>(),
  pathOf: (name: string) => name,
  refresh: (name: string) => {
    log.push(`refresh ${name}`);
    if (name === broken) return Promise.reject(new Error('broken'));
    served.add(name);
    return Promise.resolve();
  },
  unload: (name: string) => {
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
  served = new Set(['old']);
  await root.copy('fixed_one', 'old/model.onnx');
  watcher = new Watcher({
    registry,
    clock,
    root: root.path,
    locate: (path) => Promise.resolve(join(root.path, path)),
    wanted: () => wanted,
    onChange: (what, model) => log.push(`${what} ${model}`),
    onFault: (model, reason) => log.push(`fault ${model} ${reason}`),
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

  it('leaves alone what somebody unloaded, and what is not wanted', async () => {
    served.delete('old');
    expect(await looks(2)).toEqual([]);
    wanted = ['other'];
    await root.copy('fixed_one', 'new/model.onnx');
    expect(await looks(2)).toEqual([]);
  });

  it('unloads nothing where the root itself is gone', async () => {
    await rename(root.path, `${root.path}-away`);
    expect(await looks(3)).toEqual([]);
    await rename(`${root.path}-away`, root.path);
    expect(await looks(2)).toEqual([]);
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
