import { describe, expect, it } from '@jest/globals';
import { newKey } from '../../src/access/key-hash.js';
import { GrpcClient } from '../support/grpc-client.js';
import { startGateway } from '../support/start-gateway.js';
import { AUDIENCE, ISSUER, sign } from './jwt-tokens.js';
import { keepingLogger, keysOfRoles } from './support.js';

const SECRET = 'another secret of the tokens, 32 bytes and more';
const VARIABLE = 'CARPOOL_TEST_AUDIT_SECRET';

const auditLines = (log: ReturnType<typeof keepingLogger>): readonly unknown[] =>
  log
    .lines()
    .filter(({ audit }) => audit === true)
    .map(({ level, who, action, model, outcome }) => [level, who, action, model, outcome]);

describe('the audit log', () => {
  it('has a line for every admin call, allowed or refused, and no secret', async () => {
    const { access, keyOf } = keysOfRoles();
    const log = keepingLogger();
    process.env[VARIABLE] = SECRET;
    const jwt = { issuer: ISSUER, audience: AUDIENCE, algorithms: ['HS256' as const], secretEnv: VARIABLE };
    const running = await startGateway(
      { access: { ...access, jwt }, grpc: { enabled: true, port: 0 } },
      { logger: log.logger },
    );
    delete process.env['CARPOOL_TEST_AUDIT_SECRET'];
    const grpc = new GrpcClient(running.grpc!);
    const strangers = newKey();
    const exp = Math.floor(Date.now() / 1000) + 600;
    const token = await sign(SECRET, { alg: 'HS256' }, { exp, roles: ['manage', 'debug'] });
    let debugged = '';
    const call = async (
      key: string | undefined,
      method: string,
      path: string,
      body?: object,
    ): Promise<void> => {
      const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
      const { text } = await running.client.send({ method, path, body, headers });
      if (path.startsWith('/debug')) debugged += text;
    };
    const asked = async (key: string, method: string, model_name: string): Promise<void> => {
      await grpc.ask(method, { model_name }, { metadata: { 'x-api-key': key } });
    };
    try {
      await call(token, 'POST', '/v1/models', { name: 'two', path: 'spam' });
      await call(token, 'DELETE', '/v1/models/two');
      await call(keyOf.manage, 'DELETE', '/v1/models/two');
      await call(keyOf.manage, 'POST', '/v1/models', { name: 'two', path: '../etc' });
      await call(keyOf.infer, 'DELETE', '/v1/models/spam');
      await call(keyOf.spam, 'POST', '/v1/models', { name: 'fraud', path: 'spam' });
      await call(strangers, 'POST', '/v2/repository/models/spam/unload', {});
      await call(undefined, 'POST', '/v1/models', {});
      await call(keyOf.all, 'GET', '/debug/batcher');
      await call(keyOf.read, 'GET', '/debug/batcher');
      await call(keyOf.read, 'GET', '/v1/models');
      await call(`${keyOf.read}?key=${keyOf.read}`, 'GET', '/v1/models');
      await asked(keyOf.all, 'RepositoryModelLoad', 'spam');
      await asked(keyOf.read, 'RepositoryModelUnload', 'spam');
      await asked(strangers, 'RepositoryModelUnload', 'spam');
      await asked(keyOf.others, 'RepositoryModelUnload', 'spam');
      expect(auditLines(log)).toEqual([
        ['info', 'jwt:alice', 'manage', 'two', 'ok'],
        ['info', 'jwt:alice', 'manage', 'two', 'ok'],
        ['warn', 'key:manage', 'manage', 'two', 'MODEL_NOT_FOUND'],
        ['warn', 'key:manage', 'manage', 'two', 'INVALID_REQUEST'],
        ['warn', 'key:infer', 'manage', 'spam', 'FORBIDDEN'],
        ['warn', 'key:spam', 'manage', 'fraud', 'FORBIDDEN'],
        ['warn', '127.0.0.1', 'manage', 'spam', 'UNAUTHENTICATED'],
        ['warn', '127.0.0.1', 'manage', undefined, 'UNAUTHENTICATED'],
        ['info', 'key:all', 'debug', undefined, 'ok'],
        ['warn', 'key:read', 'debug', undefined, 'FORBIDDEN'],
        ['info', 'key:all', 'manage', 'spam', 'ok'],
        ['warn', 'key:read', 'manage', undefined, 'FORBIDDEN'],
        ['warn', '127.0.0.1', 'manage', undefined, 'UNAUTHENTICATED'],
        ['warn', 'key:others', 'manage', 'spam', 'FORBIDDEN'],
      ]);
      expect(
        log.lines().filter(({ audit, requestId }) => audit === true && typeof requestId !== 'string'),
      ).toEqual([]);
    } finally {
      grpc.close();
      await running.close();
    }
    expect(debugged).toContain('fraud_detector');
    for (const secret of [...Object.values(keyOf), strangers, token, SECRET, ...token.split('.')])
      for (const text of [log.text(), debugged]) expect(text).not.toContain(secret);
    for (const { hash } of access.keys ?? [])
      for (const text of [log.text(), debugged]) expect(text).not.toContain(hash.slice(7));
  });

  it('is kept whatever the level of the log, which only those may set who manage all', async () => {
    const { access, keyOf } = keysOfRoles();
    const log = keepingLogger();
    const running = await startGateway({ access }, { logger: log.logger });
    const silence = (role: 'debug' | 'spam' | 'manage'): Promise<unknown> =>
      running.client.send({
        ...{ method: 'PUT', path: '/debug/log-level', body: { level: 'silent' } },
        headers: { 'x-api-key': keyOf[role] },
      });
    await silence('spam');
    await silence('debug');
    await silence('manage');
    await running.client.send({
      ...{ method: 'DELETE', path: '/v1/models/spam', headers: { 'x-api-key': keyOf.manage } },
    });
    await running.close();
    expect(log.logger.level).toBe('silent');
    expect(auditLines(log)).toEqual([
      ['warn', 'key:spam', 'manage', undefined, 'FORBIDDEN'],
      ['warn', 'key:debug', 'manage', undefined, 'FORBIDDEN'],
      ['info', 'key:manage', 'manage', undefined, 'ok'],
      ['info', 'key:manage', 'manage', 'spam', 'ok'],
    ]);
  });

  it('is kept without access control, too, by address', async () => {
    const log = keepingLogger();
    const running = await startGateway({ models: { load: ['fraud_detector'] } }, { logger: log.logger });
    await running.client.delete('/v1/models/fraud_detector');
    await running.close();
    expect(auditLines(log)).toEqual([['info', '127.0.0.1', 'manage', 'fraud_detector', 'ok']]);
  });

  it('no line grows with the name that a caller sends', async () => {
    const log = keepingLogger();
    const running = await startGateway(
      { grpc: { enabled: true, port: 0 }, models: { load: ['fraud_detector'] } },
      { logger: log.logger },
    );
    const grpc = new GrpcClient(running.grpc!);
    for (const method of ['RepositoryModelLoad', 'RepositoryModelUnload', 'ModelInfer'])
      await grpc.ask(method, { model_name: 'm'.repeat(1_000_000) });
    grpc.close();
    await running.close();
    expect(auditLines(log).length).toBe(2);
    const longest = Math.max(...log.lines().map((line) => JSON.stringify(line).length));
    expect(longest).toBeLessThan(5_000);
  });
});
