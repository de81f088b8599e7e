import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import type { ConfigInput } from '../../src/config/schema.js';
import { HttpClient } from '../support/http-client.js';
import { tempModelRoot, until, type TempFolder } from '../support/start-gateway.js';
import { MAIN, printed, startChild, type Child } from './serve-child.js';

let root: TempFolder;
let child: Child | undefined;

beforeEach(async () => {
  root = await tempModelRoot();
  await mkdir(path.join(root.path, 'slow_one'));
  await copyFile(path.join(root.path, 'slow.onnx'), path.join(root.path, 'slow_one/model.onnx'));
});
afterEach(async () => {
  await child?.end();
  child = undefined;
  await root.remove();
});

const ROW = new Array<number>(64).fill(1);

const start = async (config: ConfigInput = {}): Promise<Child> => {
  const file = path.join(root.path, 'config.yaml');
  const all = {
    lanes: { count: 1 },
    ...config,
    batching: { calibrate: 'off', maxBatch: 1, ...config.batching },
    models: { root: root.path, load: ['fraud_detector'], ...config.models },
  };
  await writeFile(file, stringify(all));
  child = startChild(process.execPath, [MAIN, 'serve', '--config', file], {
    env: { CARPOOL_PORT: '0', CARPOOL_LOG_LEVEL: 'info' },
  });
  return child;
};

const clientOf = async (it: Child): Promise<HttpClient> =>
  new HttpClient(await printed(it, /listens on (http:\S+)/));

/** Each brings a gateway into a state. @returns what must hold after its end */
const STATES: Readonly<Record<string, () => Promise<(() => Promise<void>) | undefined>>> = {
  'before it listens to signals': async () => {
    await start();
    return undefined;
  },
  starting: async () => {
    // 100 ms and more for each row of its warm-up and its tests.
    const it = await start({ models: { load: ['fraud_detector', 'slow_one'] } });
    await printed(it, /fraud_detector.*model loaded|model loaded.*fraud_detector/);
    return undefined;
  },
  'serving, idle': async () => {
    (await clientOf(await start())).close();
    return undefined;
  },
  'serving, with work': async () => {
    const client = await clientOf(await start());
    await client.load('slow', 'slow.onnx');
    const answers = [1, 2, 3].map(() => client.infer('slow', [ROW]));
    await until(
      'all are in',
      async () => (await client.metric('carpool_admitted_rows_total{model="slow"}')) === 3,
    );
    return async () => {
      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
      client.close();
    };
  },
  'loading a model': async () => {
    const client = await clientOf(await start());
    const load = client.load('slow', 'slow.onnx').then(
      ({ status }) => status,
      () => 'cut',
    );
    await until('it loads', async () => (await client.get('/v2/repository/index')).status !== 0);
    return async () => {
      // Finished, or refused, or cut with its connection: not left without an end.
      expect([200, 422, 503, 'cut']).toContain(await load);
      client.close();
    };
  },
  calibrating: async () => {
    const it = await start({
      batching: { calibrate: 'idle', calibrateBudgetMs: 60_000 },
      models: { load: ['slow_one'] },
    });
    const client = await clientOf(it);
    await until('it measures', async () => (await client.metric('carpool_lanes{state="running"}')) === 1);
    client.close();
    return undefined;
  },
  draining: async () => {
    const it = await start({ server: { drainDelayMs: 300 } });
    const client = await clientOf(it);
    it.process.kill('SIGINT');
    await until('it drains', () => it.stderr().includes('SIGINT: finishing'));
    client.close();
    return undefined;
  },
};

/** How it may end. A second signal ends it at once; before its first line runs, the system does. */
const ENDS: Readonly<Record<string, readonly string[]>> = {
  'before it listens to signals': ['SIGTERM', '0'],
  draining: ['1', 'SIGKILL', '0'],
};

describe('SIGTERM', () => {
  it.each(Object.entries(STATES))('%s', async (state, reach) => {
    const check = await reach();
    child?.process.kill('SIGTERM');
    const exit = await child?.exit;
    expect(ENDS[state] ?? ['0']).toContain(String(exit?.signal ?? exit?.code));
    await check?.();
    // No stack, no core: nothing that a person would have to explain.
    expect(child?.stderr()).not.toMatch(/Error|at .*\.js:\d+|terminate called/);
  });
});
