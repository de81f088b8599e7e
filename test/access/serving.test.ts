import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rawClient } from '../http/harness.js';
import { GrpcClient } from '../support/grpc-client.js';
import type { Reply } from '../support/http-client.js';
import { startGateway, type Running } from '../support/start-gateway.js';
import { AUDIENCE, ISSUER, sign } from './jwt-tokens.js';
import { keysOfRoles, type Role } from './support.js';

const SECRET = 'the secret of the tokens, 32 bytes and more';
const VARIABLE = 'CARPOOL_TEST_ACCESS_SECRET';

const { access, keyOf } = keysOfRoles();
let running: Running;
let grpc: GrpcClient;

beforeAll(async () => {
  process.env[VARIABLE] = SECRET;
  running = await startGateway({
    access: {
      ...access,
      jwt: { issuer: ISSUER, audience: AUDIENCE, algorithms: ['HS256'], secretEnv: VARIABLE },
    },
    grpc: { enabled: true, port: 0 },
  });
  grpc = new GrpcClient(running.grpc!);
});

afterAll(async () => {
  delete process.env['CARPOOL_TEST_ACCESS_SECRET'];
  grpc.close();
  await running.close();
});

const as = (role: Role, method: string, path: string, body?: unknown): Promise<Reply> =>
  running.client.send({ method, path, body, headers: { authorization: `Bearer ${keyOf[role]}` } });

const asGrpc = (role: Role, method: string, request: object = {}): ReturnType<GrpcClient['ask']> =>
  grpc.ask(method, request, { metadata: { authorization: `Bearer ${keyOf[role]}` } });

const portOf = (): number => Number(new URL(running.url).port);

describe('a caller', () => {
  it('comes with a key or a token, in either header, over HTTP and gRPC', async () => {
    // The server's clock is the real one.
    const exp = Math.floor(Date.now() / 1000) + 600;
    const token = await sign(SECRET, { alg: 'HS256' }, { exp, roles: ['read', 'infer'] });
    for (const headers of [
      { authorization: `Bearer ${keyOf.read}` },
      { authorization: `bearer ${keyOf.read}` },
      { 'x-api-key': keyOf.read },
      { authorization: `Bearer ${token}` },
      { 'x-api-key': token },
    ]) {
      const reply = await running.client.send({ method: 'GET', path: '/v1/models/spam', headers });
      expect([headers, reply.status]).toEqual([headers, 200]);
      const { code } = await grpc.ask('ModelMetadata', { name: 'spam' }, { metadata: headers });
      expect([headers, code]).toEqual([headers, 0]);
    }
    const late = await sign(SECRET, { alg: 'HS256' }, { exp: exp - 1200 });
    const { code } = await grpc.ask(
      'ModelMetadata',
      { name: 'spam' },
      { metadata: { authorization: `Bearer ${late}` } },
    );
    expect(code).toBe(16);
  });

  it('needs them for HEAD, too, and not for OPTIONS', async () => {
    const bare = async (method: string): Promise<number> =>
      (await running.client.send({ method, path: '/v1/models' })).status;
    expect([await bare('HEAD'), await bare('OPTIONS'), await bare('PUT')]).toEqual([401, 204, 405]);
  });

  it('is told the same whatever is wrong with its key', async () => {
    const answers = await Promise.all(
      [undefined, 'Bearer', 'Bearer ', 'Bearer x', `Bearer ${keyOf.read}x`, 'Basic YTpi', 'Bearer a.b.c'].map(
        async (authorization) => {
          const headers = { 'x-request-id': 'r', ...(authorization === undefined ? {} : { authorization }) };
          const { status, text } = await running.client.send({ method: 'GET', path: '/v1/models', headers });
          return `${status} ${text}`;
        },
      ),
    );
    expect(new Set(answers)).toEqual(
      new Set([
        `401 {"error":{"code":"UNAUTHENTICATED","message":"expected a valid key or token, as 'Authorization: Bearer …' or 'x-api-key: …'","requestId":"r"}}`,
      ]),
    );
  });

  it('that was refused is counted by what it lacked, over HTTP and gRPC', async () => {
    const counts = async (): Promise<number[]> => {
      const { text } = await as('read', 'GET', '/metrics');
      return ['missing', 'invalid', 'forbidden'].map((reason) =>
        Number(
          new RegExp(`^carpool_auth_failures_total\\{reason="${reason}"\\} (\\d+)$`, 'm').exec(text)?.[1] ??
            0,
        ),
      );
    };
    const before = await counts();
    const metadata = { 'x-api-key': 'wrong' };
    await running.client.send({ method: 'GET', path: '/v1/models' });
    await running.client.send({ method: 'GET', path: '/v1/models', headers: metadata });
    await grpc.ask('ModelMetadata', { name: 'spam' }, { metadata });
    await as('others', 'GET', '/v1/models/spam');
    // Only the body says which model it is for.
    await as('others', 'POST', '/predict', { texts: ['hello'], model: 'spam' });
    await asGrpc('infer', 'RepositoryModelLoad', { model_name: 'spam' });
    // Nobody was refused here, though its key is not good.
    await running.client.send({ method: 'GET', path: '/livez', headers: metadata });
    const after = await counts();
    expect(after.map((count, i) => count - before[i]!)).toEqual([1, 2, 3]);
  });

  it('infers, streams and lists by its right', async () => {
    const texts = { texts: ['hello'] };
    expect((await as('infer', 'POST', '/predict', texts)).status).toBe(200);
    expect((await as('spam', 'POST', '/predict', { ...texts, model: 'spam' })).status).toBe(200);
    const { code, carpoolCode } = await asGrpc('spam', 'ModelInfer', { model_name: 'spam' });
    expect([code, carpoolCode]).toEqual([3, 'INVALID_REQUEST']);
    expect((await as('spam', 'POST', '/tokenize', { inputs: 'hello' })).status).toBe(200);
    expect((await as('others', 'POST', '/tokenize', { inputs: 'hello' })).status).toBe(424);
  });

  it('waits for no body: it is refused with its headers', async () => {
    const head =
      'POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9000000\r\n';
    const client = await rawClient(portOf(), `${head}\r\n`);
    await client.until('UNAUTHENTICATED');
    expect(client.text()).toMatch(/^HTTP\/1\.1 401 /);
    client.socket.destroy();
  });

  it('that asks whether to send its body is told to only where it may', async () => {
    const head = (key: string): string =>
      `POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 19\r\nx-api-key: ${key}\r\nexpect: 100-continue\r\n\r\n`;
    const stranger = await rawClient(portOf(), head('wrong'));
    await stranger.until('UNAUTHENTICATED');
    expect(stranger.text()).toMatch(/^HTTP\/1\.1 401 /);
    stranger.socket.destroy();
    const known = await rawClient(portOf(), head(keyOf.infer));
    await known.until('100 Continue\r\n\r\n');
    known.socket.write('{"texts":["hello"]}');
    await known.until('HTTP/1.1 200 OK');
    expect(known.text().split('100 Continue')).toHaveLength(2);
    known.socket.destroy();
  });

  it('with a token of 100 kB is refused before anybody reads it', async () => {
    const client = await rawClient(
      portOf(),
      `GET /v1/models HTTP/1.1\r\nhost: x\r\nx-api-key: ${'a'.repeat(100_000)}\r\n\r\n`,
    );
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 431 /);
    const { code } = await grpc.ask('ServerMetadata', {}, { metadata: { 'x-api-key': 'a'.repeat(100_000) } });
    expect(code).not.toBe(0);
    expect((await asGrpc('read', 'ServerMetadata')).code).toBe(0);
  });
});

describe('models that are not the caller’s', () => {
  it('are refused in one voice, there or not, wherever the request names them', async () => {
    const named = (name: string): readonly Promise<Reply>[] => [
      as('others', 'GET', `/v1/models/${name}`),
      as('others', 'GET', `/v2/models/${name}/versions/7`),
      as('others', 'POST', `/v1/models/${name}/infer`, { inputs: [[1]] }),
      as('others', 'POST', '/predict', { texts: ['x'], model: name }),
      as('others', 'POST', '/v1/embeddings', { input: 'x', model: name }),
      as('others', 'POST', `/models/${name}`, { inputs: 'x' }),
      as('others', 'POST', '/v1/models', { name, path: 'fraud_detector' }),
      as('others', 'DELETE', `/v1/models/${name}`),
      as('others', 'GET', `/info?model=${name}`),
    ];
    const [there, not] = await Promise.all([Promise.all(named('spam')), Promise.all(named('void'))]);
    for (const [at, reply] of there.entries()) {
      expect([at, reply.status, not[at]?.status]).toEqual([at, 403, 403]);
      const plain = (text = ''): string =>
        text.replace(/"requestId":"[^"]*"/, '').replace(/'(spam|void)'/, 'M');
      expect(plain(reply.text)).toBe(plain(not[at]?.text));
    }
    for (const name of ['spam', 'void'])
      expect((await asGrpc('others', 'ModelInfer', { model_name: name })).details).toBe(
        `expected a caller with the right to infer with model '${name}'`,
      );
  });

  it('are in no list', async () => {
    const lists = await Promise.all([
      as('others', 'GET', '/v1/models'),
      as('others', 'GET', '/v2/models/stats'),
      as('others', 'POST', '/v2/repository/index'),
      as('others', 'GET', '/debug/batcher'),
      as('others', 'GET', '/health'),
      as('others', 'GET', '/readyz'),
    ]);
    for (const { text } of lists) {
      expect(text).toContain('fraud_detector');
      expect(text).not.toContain('spam');
    }
    const index = await asGrpc('others', 'RepositoryIndex');
    const statistics = await asGrpc('others', 'ModelStatistics');
    for (const { value } of [index, statistics]) {
      const names = (value.models ?? value.model_stats)?.map(({ name }) => name);
      expect(names).toEqual(['fraud_detector']);
    }
  });

  it('are in no message of one that is not there', async () => {
    const { text } = await as('spam', 'GET', '/v1/models/sparrow');
    expect(text).toContain(`"message":"no model 'sparrow'"`);
    expect((await as('spam', 'DELETE', '/v1/models/sparrow')).text).toContain(
      `"message":"no model 'sparrow'"`,
    );
    expect((await as('read', 'GET', '/v1/models/spamm')).text).toContain("did you mean 'spam'");
  });

  it('are not known to those who only ask for the health', async () => {
    for (const path of ['/health', '/healthz', '/readyz']) {
      const { status, text } = await running.client.get(path);
      expect([path, status, text]).toEqual([path, 200, '{"status":"ok"}']);
    }
  });

  it('can not be had under a name of the caller’s own', async () => {
    for (const path of [
      'fraud_detector',
      './fraud_detector',
      'spam/../fraud_detector',
      'fraud_detector/model.onnx',
      // Begin as the role's models do, and may lead elsewhere.
      'spam/model.onnx',
      'spa/../../models/fraud_detector',
      '.',
    ])
      expect([path, (await as('spam', 'POST', '/v1/models', { name: 'spare', path })).status]).toEqual([
        path,
        403,
      ]);
    expect((await as('spam', 'POST', '/v1/models', { name: 'spare', path: 'spam' })).status).toBe(200);
    expect((await as('spam', 'DELETE', '/v1/models/spare')).status).toBe(200);
  });
});
