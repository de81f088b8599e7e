import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hashOfKey, newKey } from '../../src/access/key-hash.js';
import type { Reply } from '../support/http-client.js';
import { startGateway, type Running } from '../support/start-gateway.js';
import { keysOfRoles, rolesInput } from './support.js';

const { access, keyOf } = keysOfRoles();
const tenantsKey = newKey();
let running: Running;

/** Two models for texts, of which the default one is not the tenant's. */
beforeAll(async () => {
  const tenant = [{ actions: ['infer' as const, 'read' as const], models: ['mine'] }];
  running = await startGateway({
    access: {
      roles: { ...rolesInput(), tenant },
      keys: [...(access.keys ?? []), { name: 'tenant', hash: hashOfKey(tenantsKey), roles: ['tenant'] }],
    },
    models: { default: 'spam' },
  });
  const loaded = await as(keyOf.all, 'POST', '/v1/models', { name: 'mine', path: 'spam' });
  expect(loaded.status).toBe(200);
});

afterAll(() => running.close());

const as = (key: string, method: string, path: string, body?: unknown): Promise<Reply> =>
  running.client.send({ method, path, body, headers: { 'x-api-key': key } });

describe('models that are not the caller’s', () => {
  it.each([
    ['GET', 'policy', undefined],
    ['PUT', 'policy', { default: '1' }],
    ['POST', 'rollback', {}],
  ])('are in no answer to %s /v1/models/:m/%s of one that is not there', async (method, tail, body) => {
    const ask = (key: string, name: string): Promise<Reply> =>
      as(key, method, `/v1/models/${name}/${tail}`, body);
    for (const name of ['spare', 'spa-nothing-like-it']) {
      const { status, text } = await ask(keyOf.spam, name);
      expect([status, text]).toEqual([404, expect.stringContaining(`"message":"no model '${name}'"`)]);
    }
    expect((await ask(keyOf.all, 'spamm')).text).toContain("did you mean 'spam'");
  });

  it('are not the default one: what is left to choose from decides', async () => {
    const asked: readonly [string, object][] = [
      ['/predict', { texts: ['win a prize now'] }],
      ['/predict', { inputs: 'win a prize now' }],
      ['/tokenize', { inputs: 'win a prize now' }],
      ['/', { inputs: 'win a prize now' }],
    ];
    for (const [path, body] of asked) {
      const { status, text } = await as(tenantsKey, 'POST', path, body);
      expect([path, status, text]).toEqual([path, 200, expect.not.stringContaining("'spam'")]);
    }
    expect((await as(tenantsKey, 'GET', '/info')).text).toContain('"mine"');
    expect((await as(keyOf.read, 'GET', '/info')).text).toContain('"spam"');
  });
});
