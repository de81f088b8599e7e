import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CarpoolError } from '../../src/errors.js';
import { openProcessLink } from '../../src/executor/process-link.js';
import type { OpenLink } from '../../src/executor/link.js';
import { openLinkOf } from '../../src/executor/open-link.js';
import { Trials } from '../../src/models/trial/trials.js';
import { failureOf } from '../support/lanes.js';
import { startModelHost, type ModelHost } from '../support/model-host.js';
import { makeTempRoot, type TempRoot } from '../support/temp-root.js';

const ABORTING = openProcessLink(new URL('../support/aborting-worker.js', import.meta.url));

let root: TempRoot;
let host: ModelHost;
let opened: number;
const counting =
  (open: OpenLink): OpenLink =>
  (events) => {
    opened++;
    return open(events);
  };

const trials = (): Trials =>
  new Trials({
    open: counting(ABORTING),
    executionProviders: ['cpu'],
    cacheDir: join(root.path, 'cache'),
    onFault: (reason) => host.log.push(`fault ${reason}`),
  });

beforeEach(async () => {
  opened = 0;
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

  it('ends when the gateway closes', async () => {
    let isClosing = false;
    const closing = new Trials({
      ...{ open: ABORTING, executionProviders: ['cpu'], cacheDir: join(root.path, 'cache') },
      ...{ onFault: () => undefined, isClosing: () => isClosing },
    });
    await root.copy('fixed_one', 'slow/model.onnx');
    const limits = { timeoutMs: 600_000, memoryBytes: Infinity };
    const trial = closing.pass(join(root.path, 'slow/model.onnx'), limits, (onLane) =>
      onLane(async (lane) => {
        isClosing = true;
        await lane.gone;
        throw new CarpoolError('WORKER_LOST', 'it is gone');
      }),
    );
    expect(await failureOf(trial)).toMatch(/it is gone$/);
  });

  it('ends when it takes too much memory', async () => {
    expect(await load('hoards', { timeoutMs: 60_000, memoryBytes: 400e6 })).toMatch(
      /bytes of memory, more than 4/,
    );
  });
});
