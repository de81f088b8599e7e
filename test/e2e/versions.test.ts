import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cp, mkdir } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import type { ConfigInput } from '../../src/config/schema.js';
import { GrpcClient } from '../support/grpc-client.js';
import type { Reply } from '../support/http-client.js';
import { FIXTURES, startGateway, tempFolder, until } from '../support/start-gateway.js';
import type { Running, TempFolder } from '../support/start-gateway.js';

let root: TempFolder;
let running: Running;

const place = async (folder: string, fixture: string): Promise<void> => {
  const to = path.join(root.path, folder);
  await mkdir(to, { recursive: true });
  await cp(path.join(FIXTURES, `${fixture}.onnx`), path.join(to, 'model.onnx'));
};

const INPUT = { name: 'x', datatype: 'FP32', shape: [1, 3], data: [10, 10, 10] };
const reply = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

const start = async (models: object = {}, more: ConfigInput = {}): Promise<void> => {
  const grpc = { enabled: true, port: 0 };
  running = await startGateway({ models: { root: root.path, ...models }, grpc, ...more });
};

beforeEach(async () => {
  root = await tempFolder();
  // y = 3x + 1, y = x + 1.
  await place('m/1', 'fixed_batch');
  await place('m/2', 'fixed_one');
});
afterEach(async () => {
  await running.close();
  await root.remove();
});

const put = (body: object): Promise<Reply> =>
  running.client.send({ method: 'PUT', path: '/v1/models/m/policy', body });
/** Which version answers, and what, by the Open Inference Protocol. */
const ask = async (tail = ''): Promise<unknown[]> => {
  const { text } = await running.client.post(`/v2/models/m${tail}/infer`, { inputs: [INPUT] });
  const { model_version, outputs, error } = reply(text);
  if (error !== undefined) return [error];
  return [model_version, (outputs as { data: number[] }[])[0]?.data[0]];
};

/** Asks from this address. @returns the version that answers */
const from = (localAddress: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const url = `${running.url}/v2/models/m/infer`;
    const req = request(url, { method: 'POST', headers, localAddress }, (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (part: string) => (text += part));
      res.on('end', () => resolve(String(reply(text)['model_version'])));
    });
    req.on('error', reject).end(JSON.stringify({ inputs: [INPUT] }));
  });

describe('versions of a model', () => {
  it('are what index, metadata, statistics, readiness and answers agree on', async () => {
    await start({ m: { versions: { serve: 'all', default: 1 } } });
    expect(await ask()).toEqual(['1', 31]);
    expect(await ask('/versions/2')).toEqual(['2', 11]);
    expect(await ask('/versions/3')).toEqual(["model 'm' has no version '3'; loaded: 1, 2"]);
    const own = async (tail: string): Promise<unknown> =>
      (await running.client.post(`/v1/models/m${tail}/infer`, { inputs: [[10, 10, 10]] })).body.outputs;
    expect([await own(''), await own('/versions/2')]).toEqual([{ y: [[31, 31, 31]] }, { y: [[11, 11, 11]] }]);

    const { client } = running;
    const index = await client.post('/v2/repository/index', {});
    expect(JSON.parse(index.text)).toEqual([
      { name: 'm', version: '1', state: 'READY' },
      { name: 'm', version: '2', state: 'READY' },
    ]);
    expect(reply((await client.get('/v2/models/m')).text)['versions']).toEqual(['1', '2']);
    const stats = reply((await client.get('/v2/models/m/stats')).text)['model_stats'];
    expect(stats).toMatchObject([
      { version: '1', inference_count: 2 },
      { version: '2', inference_count: 2 },
    ]);
    expect((await client.get('/v2/models/m/versions/2/ready')).status).toBe(200);
    expect((await client.get('/v2/models/m/versions/3/ready')).status).toBe(404);
    expect(reply((await client.get('/v1/models/m')).text)).toMatchObject({
      version: '1',
      versions: ['1', '2'],
    });

    const grpc = new GrpcClient(running.grpc!);
    const input = { name: 'x', datatype: 'FP32', shape: [1, 3], contents: { fp32_contents: [10, 10, 10] } };
    const call = (model_version: string) =>
      grpc.ask('ModelInfer', { model_name: 'm', model_version, inputs: [input] });
    const [byDefault, second, third] = await Promise.all(['', '2', '3'].map(call));
    expect(byDefault?.value).toMatchObject({ model_version: '1' });
    expect(second?.value).toMatchObject({ model_version: '2' });
    expect([third?.code, third?.details]).toEqual([5, "model 'm' has no version '3'; loaded: 1, 2"]);
    grpc.close();

    const info = 'carpool_model_version_info';
    expect(await client.metric(`${info}{model="m",version="1",role="default"}`)).toBe(1);
    expect(await client.metric(`${info}{model="m",version="2",role="loaded"}`)).toBe(1);
  });

  it('change by the admin API, and change back at once', async () => {
    await start();
    expect(await ask()).toEqual(['2', 11]);
    // What is there and not served is listed, too.
    expect(JSON.parse((await running.client.post('/v2/repository/index', {})).text)).toEqual([
      { name: 'm', version: '1', state: 'UNAVAILABLE' },
      { name: 'm', version: '2', state: 'READY' },
    ]);
    const changed = await put({ default: 1 });
    expect([changed.status, reply(changed.text)]).toEqual([
      200,
      expect.objectContaining({
        model: 'm',
        default: '1',
        rollback_to: '2',
        failed: [],
        versions: [
          { version: '1', roles: ['default'], loaded_at: expect.any(String) },
          { version: '2', roles: [], loaded_at: expect.any(String) },
        ],
      }),
    ]);
    expect(await ask()).toEqual(['1', 31]);
    expect((await running.client.post('/v1/models/m/rollback', {})).status).toBe(200);
    expect(await ask()).toEqual(['2', 11]);
  });

  it.each([
    [{ split: { 2: 2 } }, 400, /^split\.2|^split: expected/],
    [{ pinned: 2 }, 400, /unknown key .*expected one of serve, default/],
    [[], 400, /expected an object/],
    [{ default: 9 }, 422, /there: 1, 2/],
  ])('refuse the policy %j', async (body, status, message) => {
    await start();
    const { status: got, body: answer } = await put(body);
    expect([got, answer.error?.message]).toEqual([status, expect.stringMatching(message)]);
    expect(await ask()).toEqual(['2', 11]);
  });

  it('are none where the folder is a model itself', async () => {
    await place('plain', 'fixed_one');
    await start();
    const { status, body } = await running.client.send({
      method: 'PUT',
      path: '/v1/models/plain/policy',
      body: {},
    });
    expect([status, body.error?.code]).toEqual([409, 'CONFLICT']);
    const rollback = await running.client.post('/v1/models/plain/rollback', {});
    expect([rollback.status, rollback.body.error?.code]).toEqual([409, 'CONFLICT']);
  });
});

describe('a split', () => {
  it('sends each caller, by its address, always to the same version, and counts', async () => {
    await start({ m: { versions: { split: { 2: 0.5 } } } });
    const callers = Array.from({ length: 40 }, (_, i) => `127.0.1.${i + 1}`);
    const first = await Promise.all(callers.map(from));
    expect(await Promise.all(callers.map(from))).toEqual(first);
    expect(new Set(first)).toEqual(new Set(['1', '2']));
    const counted = (version: string): Promise<number> =>
      running.client.metric(`carpool_version_requests_total{model="m",version="${version}"}`);
    expect((await counted('1')) + (await counted('2'))).toBe(80);
    expect(await counted('2')).toBe(2 * first.filter((version) => version === '2').length);
  });
});

describe('a shadow', () => {
  it('gets copies whose answers are compared and never sent', async () => {
    await start({ m: { versions: { default: 1, shadow: 2 } } });
    const counted = (outcome: string): Promise<number> =>
      running.client.metric(`carpool_shadow_requests_total{model="m",version="2",outcome="${outcome}"}`);
    for (let i = 0; i < 5; i++) expect(await ask()).toEqual(['1', 31]);
    await until('all are compared', async () => (await counted('different')) === 5);
    await put({ default: 1, shadow: { version: 2, tolerance: 100 } });
    for (let i = 0; i < 5; i++) await ask();
    await until('all are compared', async () => (await counted('same')) === 5);
    // Only what the default version answers is copied.
    await ask('/versions/2');
    await put({ default: 1, shadow: { version: 2, share: 0 } });
    await ask();
    expect([await counted('same'), await counted('different'), await counted('failed')]).toEqual([5, 5, 0]);
    expect(await running.client.metric('carpool_shadow_difference_count{model="m"}')).toBe(10);
  });

  it('has no quota, however many callers it copies, and leaves theirs alone', async () => {
    await start({ m: { versions: { default: 1, shadow: 2 } } }, { limits: { rowsPerMinute: 3 } });
    const callers = ['127.0.1.1', '127.0.1.2'];
    for (let i = 0; i < 3; i++) expect(await Promise.all(callers.map(from))).toEqual(['1', '1']);
    const name = 'carpool_shadow_requests_total{model="m",version="2",outcome="different"}';
    await until('all are compared', async () => (await running.client.metric(name)) === 6);
  });
});
