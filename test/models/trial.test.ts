import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openProcessLink } from '../../src/executor/process-link.js';
import type { OpenLink } from '../../src/executor/link.js';
import { openLinkOf } from '../../src/executor/open-link.js';
import { Trials } from '../../src/models/trial/trials.js';
import { failureOf } from '../support/lanes.js';
import { startModelHost, type ModelHost } from '../support/model-host.js';
import { until } from '../support/start-gateway.js';
import { makeTempRoot, type TempRoot } from '../support/temp-root.js';

const ABORTING = openProcessLink(new URL('../support/aborting-worker.js', import.meta.url));

let root: TempRoot;
let host: ModelHost;
let opened: number;
let pids: number[];
const counting =
  (open: OpenLink): OpenLink =>
  (events) => {
    opened++;
    const link = open(events);
    if (link.pid !== undefined) pids.push(link.pid);
    return link;
  };

const trials = (): Trials =>
  new Trials({
    open: counting(ABORTING),
    executionProviders: ['cpu'],
    cacheDir: join(root.path, 'cache'),
    onFault: (reason) => host.log.push(`fault ${reason}`),
  });

/** @returns whether the file was taken for a new one: then `work` has run, in the place of its trial */
const triedOf = async (
  file: string,
  work: () => Promise<unknown> = () => Promise.resolve(),
): Promise<boolean> => {
  let isTried = false;
  await trials().pass(join(root.path, file), { timeoutMs: 1, memoryBytes: 1 }, () => {
    isTried = true;
    return work();
  });
  return isTried;
};

beforeEach(async () => {
  opened = 0;
  pids = [];
  root = await makeTempRoot();
  const models = { trialTimeoutMs: 20_000 };
  host = await startModelHost(root.path, openLinkOf('thread'), { models, trials: () => trials() });
});
afterEach(async () => {
  await host.close();
  await root.remove();
});

describe('a file that is not known yet', () => {
  it('runs apart once, in this process and in the next', async () => {
    await root.copy('fixed_one', 'a/model.onnx');
    await root.copy('fixed_one', 'b/model.onnx');
    await host.loader.load('a', 'a', false);
    await host.loader.load('b', 'b', false);
    expect(opened).toBe(1);
    expect(
      (await readdir(join(root.path, 'cache'))).filter((name) => name.startsWith('trial-')),
    ).toHaveLength(1);
    await trials().pass(join(root.path, 'a/model.onnx'), { timeoutMs: 1, memoryBytes: 1 }, () => {
      throw new Error('it is known');
    });
  });

  it("runs apart though a file beside it can't be read, and once", async () => {
    await root.copy('fixed_one', 'a/model.onnx');
    await mkdir(join(root.path, 'a/model.onnx.data'));
    expect([await triedOf('a/model.onnx'), await triedOf('a/model.onnx')]).toEqual([true, false]);
  });

  it("that can't be read is tried, and not remembered", async () => {
    expect([await triedOf('none.onnx'), await triedOf('none.onnx'), host.log]).toEqual([true, true, []]);
  });

  it('leaves nothing behind where it could not be noted down', async () => {
    await root.copy('fixed_one', 'a/model.onnx');
    const cache = join(root.path, 'cache');
    await triedOf('a/model.onnx');
    const [name = ''] = await readdir(cache);
    await rm(join(cache, name));
    // In the place of the file that it would become.
    await triedOf('a/model.onnx', () => mkdir(join(cache, name)));
    expect(await readdir(cache)).toEqual([name]);
    expect(host.log).toEqual([expect.stringMatching(/^fault .*not be noted/)]);
  });

  it.each([
    ['aborts', 'fixed_batch', /^MODEL_LOAD_FAILED: aborts\/model\.onnx: refused after a trial run .*SIGABRT/],
    ['garbage', 'broken', /^MODEL_LOAD_FAILED: garbage\/model\.onnx: .*Protobuf/],
  ])('that %s takes nothing down and is refused', async (folder, fixture, reason) => {
    await root.copy('fixed_one', 'good/model.onnx');
    const good = await host.registry.load('good', 'good');
    await root.copy(fixture, `${folder}/model.onnx`);
    expect(await failureOf(host.registry.load('good', folder))).toMatch(reason);
    expect(host.registry.get('good')).toBe(good);
    expect(host.log).not.toContain('restart');
    // It is no better the second time.
    expect(await failureOf(host.registry.load('good', folder))).toMatch(reason);
  });
});

describe('a stop of the gateway', () => {
  it('ends the process of a trial that hangs, and begins no other', async () => {
    await root.copy('fixed_one', 'hangs/model.onnx');
    await root.copy('fixed_batch', 'good/model.onnx');
    const loading = failureOf(host.loader.load('m', 'hangs', true));
    await until('the trial is there', () => pids.length > 0);
    host.loader.close();
    expect(await loading).toMatch(/^MODEL_LOAD_FAILED: .*the gateway is closing/);
    expect(() => process.kill(pids[0]!, 0)).toThrow('ESRCH');
    expect(await failureOf(host.loader.load('m', 'good', true))).toMatch(/the gateway is closing/);
    expect(opened).toBe(1);
  });
});

describe('a trial', () => {
  const load = async (
    folder: string,
    limits: { timeoutMs: number; memoryBytes: number },
  ): Promise<string> => {
    await root.copy('fixed_one', `${folder}/model.onnx`);
    const file = join(root.path, folder, 'model.onnx');
    const spec = { key: 'k', file, executionProviders: ['cpu'], intraOpThreads: 1 };
    return failureOf(trials().pass(file, limits, (onLane) => onLane((lane) => lane.load(spec))));
  };

  it('ends when its time is over', async () => {
    expect(await load('hangs', { timeoutMs: 3_000, memoryBytes: 1e12 })).toMatch(/not done within 3000 ms/);
  });

  it('ends when it takes too much memory', async () => {
    expect(await load('hoards', { timeoutMs: 60_000, memoryBytes: 400e6 })).toMatch(
      /bytes of memory, more than 4/,
    );
  });
});
