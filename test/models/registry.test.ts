import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Payload } from '../../src/executor/join.js';
import { openLinkOf } from '../../src/executor/open-link.js';
import { gated, type Gate } from '../support/gated-link.js';
import { f32, failureOf } from '../support/lanes.js';
import { ask, startModelHost, type ModelHost } from '../support/model-host.js';
import { turn } from '../support/puppet-model.js';
import { until } from '../support/start-gateway.js';
import { makeTempRoot, type TempRoot } from '../support/temp-root.js';

let root: TempRoot;
let host: ModelHost;
let gate: Gate;
beforeEach(async () => {
  root = await makeTempRoot();
  for (const name of ['multi_io', 'broken', 'leaky', 'fixed_batch'])
    await root.copy(name, `${name}/model.onnx`);
  gate = gated(openLinkOf('thread'));
  host = await startModelHost(root.path, gate.open);
});
afterEach(async () => {
  await host.close();
  await root.remove();
});

const x = (value: number): Payload => ({
  kind: 'tensors',
  rows: 1,
  inputs: [f32([1, 3], [value, value, value])],
});

/** The code and message of what `get` throws. */
const missing = (name: string): Promise<string> =>
  failureOf(new Promise((resolve) => resolve(host.registry.get(name))));

describe('the models being served', () => {
  it('are unavailable while they are being loaded at the start, and unknown afterwards', async () => {
    const { registry } = host;
    expect(await missing('multi_io')).toBe('MODEL_UNAVAILABLE: the models are still being loaded');
    await registry.load('multi_io', 'multi_io', true);
    expect(registry.get('multi_io').info.name).toBe('multi_io');
    expect(await missing('other')).toMatch(/^MODEL_UNAVAILABLE/);
    registry.open();
    expect(await missing('other')).toBe("MODEL_NOT_FOUND: no model 'other'; loaded: multi_io");
    expect(await missing('multy_io')).toMatch(/^MODEL_NOT_FOUND: .*did you mean 'multi_io'\?$/);
    expect(await missing('__proto__')).toMatch(/^MODEL_NOT_FOUND/);
    await registry.unload('multi_io');
    expect(await missing('multi_io')).toBe("MODEL_NOT_FOUND: no model 'multi_io'; loaded: none");
  });

  it('that failed at the start say why until they load or are unloaded', async () => {
    const { registry } = host;
    expect(await failureOf(registry.load('m', 'broken', true))).toMatch(/^MODEL_LOAD_FAILED/);
    registry.open();
    expect([...registry.failures.keys()]).toEqual(['m']);
    expect(await missing('m')).toMatch(/^MODEL_UNAVAILABLE: model 'm' could not be loaded: .*Protobuf/);
    await registry.load('m', 'multi_io');
    expect(registry.failures.size).toBe(0);
    await failureOf(registry.load('n', 'broken', true));
    await registry.unload('n');
    expect(await missing('n')).toMatch(/^MODEL_NOT_FOUND/);
    // A load that somebody asks for later answers them; nothing is left of it.
    expect(await failureOf(registry.load('o', 'broken'))).toMatch(/^MODEL_LOAD_FAILED/);
    expect(await missing('o')).toMatch(/^MODEL_NOT_FOUND/);
  });

  it('are sorted by name', async () => {
    for (const name of ['b', 'a', 'c']) await host.registry.load(name, 'multi_io', true);
    expect(host.registry.all.map(({ info }) => info.name)).toEqual(['a', 'b', 'c']);
  });

  it('are replaced whole: the old version finishes what it has, the new one answers from then on', async () => {
    const { registry, log } = host;
    const old = await registry.load('m', 'leaky', true);
    const before = ask(old, [x(1), x(2)]);
    const loading = registry.load('m', 'fixed_batch');
    expect(registry.get('m')).toBe(old);
    const model = await loading;
    expect(registry.get('m')).toBe(model);
    expect(model.key).not.toBe(old.key);
    expect(await before).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(await ask(model, [x(2)])).toEqual([[7, 7, 7]]);
    expect(await failureOf(ask(old, [x(2)]))).toMatch(/^DRAINING/);
    expect(log).toEqual(['loaded m', 'loaded m', 'retired m']);
  });

  it('stay when their replacement fails', async () => {
    const { registry, log } = host;
    const old = await registry.load('m', 'fixed_batch', true);
    expect(await failureOf(registry.load('m', 'broken'))).toMatch(/^MODEL_LOAD_FAILED/);
    expect(registry.get('m')).toBe(old);
    expect(await ask(old, [x(1)])).toEqual([[4, 4, 4]]);
    expect(log).toEqual(['loaded m']);
  });

  it('are gone at once when unloaded, and finish what they have first', async () => {
    const { registry } = host;
    registry.open();
    const model = await registry.load('m', 'fixed_batch', true);
    gate.close();
    const answers = ask(
      model,
      Array.from({ length: 12 }, (_, i) => x(i)),
    );
    const unloading = registry.unload('m');
    await Promise.resolve();
    expect(await missing('m')).toMatch(/^MODEL_NOT_FOUND/);
    gate.release();
    expect((await answers).map(([first]) => first)).toEqual(Array.from({ length: 12 }, (_, i) => i * 3 + 1));
    await unloading;
    expect(await failureOf(registry.unload('m'))).toMatch(/^MODEL_NOT_FOUND/);
  });

  it.each(['replaced', 'unloaded'])('and %s still take what was being prepared for them', async (how) => {
    const { registry } = host;
    const model = await registry.load('m', 'fixed_batch', true);
    let go: (() => void) | undefined;
    const prepared = model.during(() => new Promise<void>((resolve) => (go = resolve)));
    let isGone = false;
    const going = how === 'replaced' ? registry.load('m', 'leaky') : registry.unload('m');
    void going.then(() => (isGone = true));
    await until('out of the table', () => !registry.all.includes(model));
    await turn();
    go?.();
    await prepared;
    const answer = ask(model, [x(1)]);
    expect(isGone).toBe(false);
    expect(await answer).toEqual([[4, 4, 4]]);
    await going;
    expect(await failureOf(ask(model, [x(1)]))).toMatch(/^DRAINING/);
  });

  it('are operated on though somebody keeps a version open that was replaced', async () => {
    const { registry } = host;
    const model = await registry.load('m', 'fixed_batch', true);
    let go: (() => void) | undefined;
    const held = model.during(() => new Promise<void>((resolve) => (go = resolve)));
    const replacing = registry.load('m', 'leaky');
    await until('out of the table', () => !registry.all.includes(model));
    // Neither another model nor the same one waits for that.
    await registry.load('other', 'fixed_batch');
    await registry.refresh('m');
    await registry.unload('m');
    expect([registry.all.map(({ info }) => info.name), [...registry.retiring]]).toEqual([['other'], [model]]);
    expect((await ask(model, [x(1)]))[0]).toEqual([4, 4, 4]);
    go?.();
    await Promise.all([held, replacing]);
    expect(registry.retiring.size).toBe(0);
  });

  it('are operated on one after the other', async () => {
    const { registry, log } = host;
    const operations = [
      registry.load('m', 'multi_io'),
      registry.unload('m'),
      registry.load('m', 'leaky'),
      registry.load('m', 'fixed_batch'),
    ];
    await Promise.all(operations);
    expect(log).toEqual(['loaded m', 'retired m', 'loaded m', 'loaded m', 'retired m']);
    expect(registry.all.map(({ info }) => info.batch.mode)).toEqual(['fixed']);
  });

  it('are drained all, those on their way out too', async () => {
    const { registry } = host;
    const going = await registry.load('going', 'fixed_batch', true);
    const staying = await registry.load('staying', 'fixed_batch', true);
    gate.close();
    const answers = [going, staying].map((model) => ask(model, [x(1)]));
    const unloading = registry.unload('going');
    await Promise.resolve();
    expect(registry.all).toEqual([staying]);
    let drained = false;
    const draining = registry.drain().then(() => (drained = true));
    await turn();
    expect([drained, ...host.pool.states]).toEqual([false, 'running', 'running']);
    gate.release();
    await draining;
    expect((await Promise.all(answers)).flat()).toEqual([
      [4, 4, 4],
      [4, 4, 4],
    ]);
    await unloading;
  });

  it('are drained all, although only one that goes has work', async () => {
    const { registry } = host;
    const going = await registry.load('going', 'fixed_batch', true);
    gate.close();
    const answer = ask(going, [x(1)]);
    const unloading = registry.unload('going');
    await turn();
    let drained = false;
    const draining = registry.drain().then(() => (drained = true));
    await turn();
    expect(drained).toBe(false);
    gate.release();
    expect(await answer).toEqual([[4, 4, 4]]);
    await Promise.all([draining, unloading]);
  });

  it('are aborted all, those on their way out too', async () => {
    const { registry } = host;
    const going = await registry.load('going', 'fixed_batch', true);
    const staying = await registry.load('staying', 'fixed_batch', true);
    gate.close();
    const running = [going, staying].map((model) => ask(model, [x(1)]));
    await turn();
    const failures = [going, staying].map((model) => failureOf(ask(model, [x(2)])));
    const unloading = registry.unload('going');
    await turn();
    registry.abort();
    for (const failure of failures) expect(await failure).toMatch(/^DRAINING/);
    gate.release();
    expect((await Promise.all(running)).flat()).toHaveLength(2);
    await unloading;
  });
});

describe('the model for texts', () => {
  it('must be one that takes them', async () => {
    const { registry } = host;
    const wanted = (name?: string): Promise<string> =>
      failureOf(new Promise((resolve) => resolve(registry.textModel(name))));
    expect(await wanted()).toMatch(/^MODEL_UNAVAILABLE/);
    await registry.load('m', 'multi_io', true);
    registry.open();
    expect(await wanted()).toBe('MODEL_NOT_FOUND: no model that takes texts is loaded');
    expect(await wanted('m')).toMatch(/^INVALID_REQUEST: model 'm' takes tensors, not texts/);
    expect(await wanted('n')).toMatch(/^MODEL_NOT_FOUND/);
  });
});
