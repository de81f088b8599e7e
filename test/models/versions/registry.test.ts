import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { versionsSchema } from '../../../src/config/versions.js';
import { openLinkOf } from '../../../src/executor/open-link.js';
import { Registry } from '../../../src/models/registry.js';
import { policyOf } from '../../../src/models/versions/policy.js';
import type { Payload } from '../../../src/executor/join.js';
import { gated, type Gate } from '../../support/gated-link.js';
import { f32, failureOf } from '../../support/lanes.js';
import { ask, startModelHost, type ModelHost } from '../../support/model-host.js';
import { turn } from '../../support/puppet-model.js';
import { until } from '../../support/start-gateway.js';
import { makeTempRoot, type TempRoot } from '../../support/temp-root.js';

let root: TempRoot;
let host: ModelHost;
let gate: Gate;
beforeEach(async () => {
  root = await makeTempRoot();
  gate = gated(openLinkOf('thread'));
  host = await startModelHost(root.path, gate.open, {
    batching: { calibrate: 'off', batchInvariance: 'off' },
  });
  host.registry.open();
});
afterEach(async () => {
  await host.close();
  await root.remove();
});

/** y = 3x + 1 and y = x + 1: an answer tells which one gave it. */
const place = (version: string, fixture = 'fixed_one'): Promise<void> =>
  root.copy(fixture, `m/${version}/model.onnx`);
const policy = (raw: z.input<typeof versionsSchema>): ReturnType<typeof policyOf> =>
  policyOf(versionsSchema.parse(raw));
const x: Payload = { kind: 'tensors', rows: 1, inputs: [f32([1, 3], [10, 10, 10])] };
const loaded = (): string[] => host.registry.group('m').models.map(({ info }) => info.card.version);
const current = (): string => host.registry.get('m').info.card.version;

describe('a folder with versions', () => {
  it('serves its newest by number, and no other', async () => {
    for (const version of ['9', '10', '2']) await place(version);
    await root.write('m/README.md', 'versions of m');
    const model = await host.registry.load('m', 'm');
    expect([model.info.name, model.info.card.version, loaded()]).toEqual(['m', '10', ['10']]);
    expect(await failureOf(new Promise((done) => done(host.registry.get('m', '9'))))).toBe(
      "MODEL_NOT_FOUND: model 'm' has no version '9'; loaded: 10",
    );
  });

  it('serves versions side by side, each by its number', async () => {
    await place('1', 'fixed_batch');
    await place('2');
    await host.registry.load('m', 'm');
    await host.registry.setPolicy('m', policy({ serve: 'all', default: 1 }));
    expect([loaded(), current()]).toEqual([['1', '2'], '1']);
    const answers = await Promise.all(['1', '2'].map((v) => ask(host.registry.get('m', v), [x])));
    expect(answers.map(([first]) => first?.[0])).toEqual([31, 11]);
  });

  it('keeps the versions whose files are the same, and opens the others', async () => {
    await place('1');
    const { registry } = host;
    const first = await registry.load('m', 'm');
    expect(await registry.load('m', 'm')).toBe(first);
    await place('2', 'fixed_batch');
    const second = await registry.refresh('m');
    expect([current(), loaded(), registry.get('m', '1')]).toEqual(['2', ['1', '2'], first]);
    await place('2');
    expect(await registry.refresh('m')).not.toBe(second);
    expect((await ask(registry.get('m'), [x]))[0]?.[0]).toBe(11);
  });

  it('frees what served before the one before', async () => {
    for (const version of ['1', '2', '3']) {
      await place(version);
      await host.registry.refresh('m');
    }
    expect(loaded()).toEqual(['2', '3']);
    await host.registry.setPolicy('m', policy({ keepPrevious: false }));
    expect(loaded()).toEqual(['3']);
    expect(host.log.filter((line) => line.startsWith('retired'))).toHaveLength(2);
  });
});

describe('a version that can not be loaded', () => {
  it('leaves the one before it serving, and is not tried again until its files change', async () => {
    const { registry, log } = host;
    await place('1');
    const first = await registry.refresh('m');
    await place('2', 'broken');
    expect(await registry.refresh('m')).toBe(first);
    expect(registry.badVersions('m').get('2')?.error.code).toBe('MODEL_LOAD_FAILED');
    expect(await failureOf(registry.load('m', 'm'))).toMatch(/^MODEL_LOAD_FAILED: .*Protobuf/);
    expect(registry.get('m')).toBe(first);
    const load = host.loader.load.bind(host.loader);
    let loads = 0;
    host.loader.load = (...args) => {
      loads++;
      return load(...args);
    };
    await registry.refresh('m');
    expect(loads).toBe(0);
    await place('2', 'fixed_batch');
    await registry.refresh('m');
    expect([current(), registry.badVersions('m').size]).toEqual(['2', 0]);
    expect(log.filter((line) => line === 'loaded m')).toHaveLength(2);
  });

  it('keeps the older ones serving at the start too', async () => {
    await place('1');
    await place('2', 'broken');
    expect((await host.registry.load('m', 'm', true)).info.card.version).toBe('1');
  });

  it('changes nothing where a policy wants it', async () => {
    await place('1');
    await place('2', 'broken');
    const { registry } = host;
    await registry.load('m', 'm', true);
    const group = registry.group('m');
    for (const [raw, reason] of [
      [{ default: 2 }, /^MODEL_LOAD_FAILED: .*Protobuf/],
      [{ split: { 2: 0.5 } }, /^MODEL_LOAD_FAILED: .*Protobuf/],
      [{ default: 7 }, /^MODEL_LOAD_FAILED: m: expected a folder 7, .*; there: 1, 2$/],
    ] as const)
      expect(await failureOf(registry.setPolicy('m', policy(raw)))).toMatch(reason);
    expect(registry.group('m')).toBe(group);
  });

  it('is one that takes other inputs, where requests are shared', async () => {
    await place('1');
    await place('2', 'multi_io');
    await host.registry.load('m', 'm', true);
    await host.registry.setPolicy('m', policy({ default: 1, serve: 'all' }));
    expect(await failureOf(host.registry.setPolicy('m', policy({ default: 1, shadow: 2 })))).toMatch(
      /^MODEL_LOAD_FAILED: model 'm': version 2 can't share requests with version 1: expected .* got .*a float32/,
    );
  });
});

describe('at the start, a canary that takes other inputs', () => {
  it('keeps nobody from the default version', async () => {
    await place('1');
    await place('2', 'multi_io');
    const configured = policy({ split: { 2: 0.5 } });
    const model = await new Registry(host.loader, undefined, () => configured).load('m', 'm', true);
    expect([model.info.card.version, host.log.includes('retired m')]).toEqual(['1', true]);
  });
});

describe('a split', () => {
  it('gives each caller always the same version, and each version its part', async () => {
    await place('1');
    await place('2');
    const { registry } = host;
    await registry.load('m', 'm');
    expect(registry.seenBy('a')).toBe(registry);
    await registry.setPolicy('m', policy({ split: { 2: 0.2 } }));
    expect(current()).toBe('1');
    const versionFor = (caller: string): string => registry.seenBy(caller).get('m').info.card.version;
    const callers = Array.from({ length: 5_000 }, (_, i) => `caller ${i}`);
    const canary = callers.filter((caller) => versionFor(caller) === '2');
    expect(Math.abs(canary.length / callers.length - 0.2)).toBeLessThan(0.02);
    expect(registry.seenBy(canary[0]!).all.map(({ info }) => info.card.version)).toEqual(['2']);
    await registry.setPolicy('m', policy({ split: { 2: 0.4 } }));
    expect(canary.filter((caller) => versionFor(caller) !== '2')).toEqual([]);
  });
});

describe('a rollback', () => {
  it('is one step back, and the next one forward again', async () => {
    const { registry } = host;
    await place('1');
    const first = await registry.load('m', 'm');
    expect(await failureOf(new Promise((done) => done(registry.rollback('m'))))).toMatch(
      /^CONFLICT: model 'm'/,
    );
    await place('2', 'fixed_batch');
    const second = await registry.refresh('m');
    registry.rollback('m');
    expect(registry.get('m')).toBe(first);
    // What was rolled back does not come again by itself.
    await registry.refresh('m');
    expect(registry.get('m')).toBe(first);
    registry.rollback('m');
    expect(registry.get('m')).toBe(second);
  });

  it('is not lost by saying the same once more, but by keeping nothing', async () => {
    await place('1');
    await place('2');
    const { registry } = host;
    await registry.load('m', 'm');
    await registry.setPolicy('m', policy({ default: 1 }));
    await registry.setPolicy('m', policy({ default: 1 }));
    expect(registry.group('m').parts.undo?.current).toBe('2');
    await registry.setPolicy('m', policy({ default: 1, keepPrevious: false }));
    expect([loaded(), registry.group('m').parts.undo]).toEqual([['1'], undefined]);
  });

  it('undoes a split', async () => {
    await place('1');
    await place('2');
    const { registry } = host;
    await registry.load('m', 'm');
    await registry.setPolicy('m', policy({ default: 1 }));
    await registry.setPolicy('m', policy({ default: 1, split: { 2: 1 } }));
    expect(registry.seenBy('a').get('m').info.card.version).toBe('2');
    registry.rollback('m');
    expect(registry.seenBy('a').get('m').info.card.version).toBe('1');
  });

  it('holds, though a load was under way', async () => {
    const { registry } = host;
    await place('1');
    await registry.load('m', 'm');
    await place('2');
    await registry.refresh('m');
    await place('3');
    gate.close();
    const loading = registry.refresh('m');
    await until('it loads', () => registry.loading.has('m'));
    registry.rollback('m');
    expect(current()).toBe('1');
    gate.release();
    await loading;
    expect(current()).toBe('1');
  });
});

describe('a version whose folder is removed', () => {
  it('finishes what it has, and is freed', async () => {
    const { registry, log } = host;
    await place('1');
    await place('2', 'fixed_batch');
    await registry.load('m', 'm');
    const going = registry.get('m');
    gate.close();
    const answer = ask(going, [x]);
    await turn();
    await rm(join(root.path, 'm/2'), { recursive: true });
    const refreshing = registry.refresh('m');
    gate.release();
    expect((await answer)[0]?.[0]).toBe(31);
    await refreshing;
    expect([current(), loaded()]).toEqual(['1', ['1']]);
    await until('freed', () => log.includes('retired m'));
  });
});
