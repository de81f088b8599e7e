import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cp, mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import {
  FIXTURES,
  startGateway,
  tempFolder,
  tempModelRoot,
  type Running,
  type TempFolder,
} from '../support/start-gateway.js';
import { expectRefused, forbidden, invalid, loadFailed, noModel, notFound, wrongMethod } from './refusals.js';

let outside: TempFolder;
let root: TempFolder;
let running: Running;

/** A root with links out of it, to a file and to a folder that would load if they were followed. */
beforeAll(async () => {
  outside = await tempFolder();
  await mkdir(path.join(outside.path, 'secret'));
  await cp(path.join(FIXTURES, 'fixed_one.onnx'), path.join(outside.path, 'secret/model.onnx'));
  root = await tempModelRoot({
    'leaving_card/model.yaml': 'file: ../../secret/model.onnx\n',
  });
  await symlink(path.join(outside.path, 'secret'), path.join(root.path, 'linked'));
  await symlink(path.join(outside.path, 'secret/model.onnx'), path.join(root.path, 'linked.onnx'));
  await symlink(path.join(root.path, 'fixed_one.onnx'), path.join(root.path, 'inside.onnx'));
  running = await startGateway({
    server: { allowedOrigins: ['https://ops.example.com'] },
    models: { root: root.path, load: ['spam', 'fraud_detector'], default: 'spam' },
  });
});
afterAll(async () => {
  await running.close();
  await root.remove();
  await outside.remove();
});

const refuseLoad = async (body: unknown, message: string): Promise<void> => {
  await expectRefused(running.client, invalid(message, { path: '/v1/models', body }));
};

describe('a load', () => {
  it.each([
    ['../secret', "'..' is not allowed"],
    ['spam/../../secret/model.onnx', "'..' is not allowed"],
    ['spam/..', "'..' is not allowed"],
    ['..\\secret', "'..' is not allowed"],
    ['/etc/passwd', 'relative to the model root, got the absolute "/etc/passwd"'],
    ['C:\\models\\x.onnx', 'relative to the model root, got the absolute'],
    ['linked', '"linked" leads out of the model root'],
    ['linked.onnx', '"linked.onnx" leads out of the model root'],
    ['linked/model.onnx', 'leads out of the model root'],
    ['spam\0.onnx', 'path: got a NUL'],
    ['', 'path: expected a non-empty string'],
    [7, 'path: expected a non-empty string, got number 7'],
  ])('of the path %j', async (modelPath, message) => {
    await refuseLoad({ name: 'evil', path: modelPath }, message);
  });

  it.each([
    '__proto__',
    'constructor',
    'toString',
    '../spam',
    'a/b',
    '',
    '.hidden',
    'a b',
    'x'.repeat(129),
    7,
  ])('of the name %j', async (name) => {
    await refuseLoad({ name, path: 'fixed_one.onnx' }, 'name: expected ');
  });

  it.each<[string, unknown, string]>([
    ['no path', { name: 'a' }, 'path: expected a non-empty string, got nothing'],
    ['an unknown key', { name: 'a', path: 'b', force: true }, 'unknown key "force"; expected name, path'],
    ['no body', undefined, 'no body'],
    ['100,000 levels', '['.repeat(100_000), 'nested deeper than 64 levels'],
  ])('with %s', async (_what, body, message) => {
    await refuseLoad(body, message);
  });

  it('of a card that leaves the root', async () => {
    const body = { name: 'evil', path: 'leaving_card' };
    const { text } = await expectRefused(
      running.client,
      loadFailed("'..' is not allowed", { path: '/v1/models', body }),
    );
    expect(text).toContain('model.yaml: file:');
  });

  it('of a link that stays inside is fine', async () => {
    expect((await running.client.load('inside', 'inside.onnx')).status).toBe(200);
    expect((await running.client.delete('/v1/models/inside')).status).toBe(200);
  });
});

const SITES: readonly (readonly [string, Record<string, string>])[] = [
  ['Origin of another site', { origin: 'https://evil.example' }],
  ['Origin of another port', { origin: 'http://127.0.0.1:1' }],
  ['Origin null, as from a sandbox', { origin: 'null' }],
  ['Sec-Fetch-Site: cross-site', { 'sec-fetch-site': 'cross-site' }],
];

describe('a page of another site', () => {
  const MESSAGE = "expected a request from this server's own origin or one of server.allowedOrigins, got ";

  it.each(SITES)('may not load: %s', async (_what, headers) => {
    const sending = { path: '/v1/models', body: { name: 'evil', path: 'fixed_one.onnx' } };
    await expectRefused(running.client, forbidden(MESSAGE, { ...sending, headers }));
    // From a form or a Blob: without a Content-Type no preflight asks first.
    const bare = { ...headers, 'content-type': undefined };
    await expectRefused(running.client, forbidden(MESSAGE, { ...sending, headers: bare }));
  });

  it.each(SITES)('may not unload: %s', async (_what, headers) => {
    const sending = { method: 'DELETE', path: '/v1/models/spam', headers };
    await expectRefused(running.client, forbidden(MESSAGE, sending));
  });

  it.each([
    ['POST', '/v1/models', { name: 'evil', path: 'fixed_one.onnx' }],
    ['DELETE', '/v1/models/spam', undefined],
    ['GET', '/debug/batcher', undefined],
  ])('may not %s %s by a name that was pointed at this server', async (method, path, body) => {
    const host = `rebound.example:${new URL(running.url).port}`;
    const headers = { host, origin: `http://${host}` };
    const message = "one of server.allowedHosts, got 'rebound.example:";
    await expectRefused(running.client, forbidden(message, { method, path, body, headers }));
    // What changes nothing is anybody's.
    const plain = { method: 'GET', path: '/v1/models', headers };
    expect((await running.client.send(plain)).status).toBe(200);
  });

  it('may when its origin is configured, or is the server itself', async () => {
    for (const origin of ['https://ops.example.com', running.url]) {
      const body = { name: 'invited', path: 'fixed_one.onnx' };
      const sending = { method: 'POST', path: '/v1/models', body, headers: { origin } };
      expect([origin, (await running.client.send(sending)).status]).toEqual([origin, 200]);
    }
  });
});

describe('a path', () => {
  it.each([
    ['unknown', '/nothing', notFound('there is no GET /nothing')],
    ['the root', '/', notFound('there is no GET /')],
    ['in capitals', '/V1/models', notFound('there is no GET /V1/models')],
    ['with dots', '/v1/models/../../etc/passwd', notFound('there is no GET /v1/models/../../etc/passwd')],
    ['with a bad escape', '/v1/models/%zz', invalid('bad path: ')],
    ['with half an escape', '/v1/models/%E4', invalid('bad path: ')],
    ['of an unknown model', '/v1/models/spma', noModel("did you mean 'spam'?")],
    ['of __proto__', '/v1/models/__proto__', noModel("no model '__proto__'")],
    ['with escaped slashes', '/v1/models/..%2f..%2fspam', noModel("no model '../../spam'")],
  ])('%s', async (_what, at, refusal) => {
    await expectRefused(running.client, { ...refusal, method: 'GET', path: at });
  });

  it('of an unknown model, to infer and to unload', async () => {
    const message = "no model 'constructor'";
    const path = '/v1/models/constructor';
    await expectRefused(running.client, noModel(message, { path: `${path}/infer`, body: { inputs: [[1]] } }));
    await expectRefused(running.client, noModel(message, { path, method: 'DELETE' }));
  });

  it.each([
    ['GET', '/predict', 'POST, OPTIONS'],
    ['PUT', '/v1/models', 'GET, HEAD, POST, OPTIONS'],
    ['POST', '/v1/models/spam', 'GET, HEAD, DELETE, OPTIONS'],
    ['DELETE', '/metrics', 'GET, HEAD, OPTIONS'],
    ['PATCH', '/v1/models/spam/infer', 'POST, OPTIONS'],
  ])('by %s %s names the methods that it has', async (method, at, allow) => {
    const refusal = wrongMethod(` on ${at}, got ${method}`, { method, path: at });
    expect((await expectRefused(running.client, refusal)).headers.allow).toBe(allow);
  });
});

it('changed nothing', async () => {
  const { text } = await running.client.get('/v1/models');
  const names = (JSON.parse(text) as { models: { name: string }[] }).models.map(({ name }) => name);
  expect(names).toEqual(['fraud_detector', 'invited', 'spam']);
  expect((await running.client.get('/metrics')).text).not.toMatch(/status="5/);
});
