import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import { resolveConfig } from '../../src/config/resolve.js';
import type { ConfigInput } from '../../src/config/schema.js';
import type { OpenLink } from '../../src/executor/link.js';
import { openLinkOf } from '../../src/executor/open-link.js';
import { gated } from '../support/gated-link.js';
import { HttpClient } from '../support/http-client.js';
import { FIXTURES, startGateway, tempFolder, until } from '../support/start-gateway.js';
import type { Running, TempFolder } from '../support/start-gateway.js';
import { printed, serveChild, type Served } from './serve-child.js';

let root: TempFolder;
let running: Running | undefined;
let child: Served | undefined;

const place = async (folder: string): Promise<void> => {
  const to = path.join(root.path, 'models', folder);
  await mkdir(to, { recursive: true });
  await cp(path.join(FIXTURES, 'fixed_one.onnx'), path.join(to, 'model.onnx'));
};

beforeEach(async () => {
  root = await tempFolder();
  for (const folder of ['m/1', 'm/2', 'plain']) await place(folder);
});
afterEach(async () => {
  await running?.close();
  await child?.end();
  [running, child] = [undefined, undefined];
  await root.remove();
});

const SERVED: ConfigInput = {
  server: { port: 0 },
  log: { level: 'silent' },
  lanes: { count: 1, intraOpThreads: 1 },
  batching: { calibrate: 'off', batchInvariance: 'off' },
  models: { root: './models', load: ['m', 'plain'], trial: false },
};
const { batching: BATCHING, models: MODELS } = SERVED;

const start = async (more: ConfigInput = {}, openLane?: OpenLink): Promise<Running> => {
  const folders = { root: path.join(root.path, 'models'), cacheDir: path.join(root.path, '.carpool') };
  running = await startGateway(
    { ...SERVED, models: { ...MODELS, ...folders, ...more.models } },
    openLane === undefined ? {} : { openLane },
  );
  return running;
};
/** As if this were read from the file. */
const reload = (config: object): Promise<unknown> =>
  (running as Running).gateway.reload(() => resolveConfig({ ...SERVED, ...config }, root.path));
const model = async (name: string): Promise<Record<string, unknown>> =>
  JSON.parse((await (running as Running).client.get(`/v1/models/${name}`)).text) as Record<string, unknown>;

describe('a configuration that is read again', () => {
  it('changes what can be changed while serving, and names the rest', async () => {
    await start();
    const before = await model('plain');
    expect(await reload({})).toEqual({ applied: [], needRestart: [], problems: [] });
    expect(await model('plain')).toEqual(before);
    expect(
      await reload({
        server: { port: 0, bodyLimitBytes: 10 },
        batching: { ...BATCHING, maxBatch: 7 },
        models: {
          ...MODELS,
          cacheDir: './elsewhere',
          m: { versions: { default: 1 }, batching: { maxBatch: 5 } },
        },
      }),
    ).toEqual({
      applied: ['batching.maxBatch', 'models.m.batching', 'models.m.versions'],
      needRestart: ['server.bodyLimitBytes', 'models.cacheDir'],
      problems: [],
    });
    expect(await model('m')).toMatchObject({ version: '1', batching: { maxBatch: 5 } });
    expect(await model('plain')).toMatchObject({ batching: { maxBatch: 7 } });
  });

  it('loads and unloads what the list says', async () => {
    await start();
    await place('other');
    expect(await reload({ models: { ...MODELS, load: ['m', 'other'], default: 'm' } })).toMatchObject({
      applied: ['models.load', 'models.default'],
      problems: [],
    });
    const { body } = await (running as Running).client.get('/readyz');
    expect(body.models).toEqual({ m: 'ready', other: 'ready' });
  });

  it('makes a model the default when it is loaded, before the old one goes', async () => {
    const gate = gated(openLinkOf('thread'));
    await start({ models: { default: 'plain' } }, gate.open);
    const byDefault = async (): Promise<string | undefined> =>
      (await (running as Running).client.post('/predict', { texts: ['a'] })).body.error?.message;
    expect(await byDefault()).toMatch(/^model 'plain' takes tensors/);
    await place('other');
    gate.close();
    const reloading = reload({ models: { ...MODELS, load: ['m', 'other'], default: 'other' } });
    await until('it loads', () => gate.sent.filter((type) => type === 'load').length > 2);
    expect(await byDefault()).toMatch(/^model 'plain' takes tensors/);
    gate.release();
    expect(await reloading).toMatchObject({ problems: [] });
    expect(await byDefault()).toMatch(/^model 'other' takes tensors/);
  });

  it('keeps its default where the new one can not be loaded', async () => {
    await start({ models: { default: 'plain' } });
    const models = { ...MODELS, load: ['m', 'none'], default: 'none' };
    expect(await reload({ models })).toMatchObject({
      problems: [
        expect.stringMatching(/^none: .*nothing is at "none"/),
        "models.default: 'none' is not served: 'plain' stays",
      ],
    });
    expect(await model('plain')).toMatchObject({ name: 'plain' });
    // The look at the folder may find it, and then it is.
    await place('none');
    expect(await reload({ models })).toMatchObject({ problems: [] });
    expect(
      (await (running as Running).client.post('/predict', { texts: ['a'] })).body.error?.message,
    ).toMatch(/^model 'none' takes tensors/);
  });

  it('says which model could not follow, and leaves it as it was', async () => {
    await start();
    const report = await reload({ models: { ...MODELS, m: { versions: { default: 7 } } } });
    expect(report).toMatchObject({ problems: [expect.stringMatching(/^m: m: expected a folder 7/)] });
    expect(await model('m')).toMatchObject({ version: '2' });
  });

  it('that is nonsense changes nothing', async () => {
    await start();
    const before = await model('plain');
    const report = await reload({ batching: { maxBatch: 0 } });
    expect(report).toMatchObject({ applied: [], problems: [expect.stringContaining('batching.maxBatch')] });
    expect(await model('plain')).toEqual(before);
  });
});

describe('SIGHUP', () => {
  it('reads the configuration and looks at the models, whatever it finds', async () => {
    const served: ConfigInput = { ...SERVED, log: { level: 'info', format: 'json' } };
    child = await serveChild(root.path, served);
    const client = new HttpClient(child.url);
    const file = path.join(root.path, 'config.yaml');
    const hangUp = async (config: object | string, says: RegExp): Promise<void> => {
      await writeFile(file, typeof config === 'string' ? config : stringify(config));
      child?.process.kill('SIGHUP');
      await printed(child as Served, says);
    };
    await hangUp(
      'batching: {maxBatch: many}\n',
      /config\.yaml:1.*the configuration is wrong: the old one stays/,
    );
    await place('m/3');
    const version = async (): Promise<unknown> => (JSON.parse((await client.get('/v1/models/m')).text) as { version: unknown }).version; // prettier-ignore
    expect(await version()).toBe('2');
    await hangUp({ ...served, grpc: { enabled: true } }, /these keys need a restart/);
    await until('the new version', async () => (await version()) === '3');
    expect(child.stdout()).toMatch(/"needRestart":\["grpc\.enabled"\]/);
    client.close();
    child.process.kill('SIGTERM');
    expect(await child.exit).toEqual({ code: 0, signal: null });
  });
});
