import { afterEach, describe, expect, it } from '@jest/globals';
import type { ConfigInput } from '../../src/config/schema.js';
import { GrpcClient } from '../support/grpc-client.js';
import { startRedisStub } from '../support/redis-stub.js';
import { startGateway, type Running } from '../support/start-gateway.js';

const open: Running[] = [];
afterEach(async () => {
  for (const running of open.splice(0)) await running.close();
});

const start = async (config: ConfigInput): Promise<Running> => {
  const running = await startGateway({ models: { load: ['spam', 'fraud_detector'] }, ...config });
  open.push(running);
  return running;
};

const post = (
  url: string,
  path: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

const texts = (rows: number): object => ({ inputs: Array<string>(rows).fill('win a prize now') });

const lines = (rows: number): object => ({ texts: Array<string>(rows).fill('win a prize now') });

describe('no limits', () => {
  it('no headers', async () => {
    const { url } = await start({});
    const { status, headers } = await post(url, '/predict', texts(1));
    expect([status, headers.get('ratelimit'), headers.get('ratelimit-limit')]).toEqual([200, null, null]);
  });
});

describe('requests', () => {
  it.each([
    ['own', '/v1/models/spam/infer', { texts: ['a'] }, ['error', 'code']],
    ['TEI', '/rerank', { query: 'a', texts: ['b'] }, ['error_type']],
    ['OIP', '/v2/models/fraud_detector/infer', { inputs: [] }, ['error']],
    ['OpenAI', '/v1/embeddings', { model: 'spam', input: 'a' }, ['error', 'type']],
    ['an admin call', '/v1/models', { name: 'none' }, ['error', 'code']],
  ])('%s: 429 in its own shape, with the seconds to wait', async (_name, path, body, key) => {
    const { url, client } = await start({ limits: { requestsPerMinute: 1 } });
    const first = await post(url, path, body);
    expect(first.headers.get('ratelimit')).toMatch(/^"requests-per-minute";r=0;t=\d+$/);
    await first.arrayBuffer();
    const { status, headers, json } = await post(url, path, body).then(async (answer) => ({
      ...{ status: answer.status, headers: answer.headers, json: (await answer.json()) as object },
    }));
    expect(status).toBe(429);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(headers.get('ratelimit-remaining')).toBe('0');
    expect(headers.get('ratelimit-policy')).toBe('"requests-per-minute";q=1;w=60');
    expect(key.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], json)).toBeDefined();
    expect(await client.metric('carpool_rate_limited_total{reason="requests_per_minute"}')).toBe(1);
  });

  it('probes, scrapes and lookups go through all the same', async () => {
    const { url } = await start({ limits: { requestsPerMinute: 1 } });
    for (const path of ['/healthz', '/readyz', '/metrics', '/v1/models', '/v2/health/ready', '/docs'])
      for (let i = 0; i < 2; i++) expect([path, (await fetch(url + path)).status]).toEqual([path, 200]);
  });

  it('a made-up X-Forwarded-For buys nothing, and one of a trusted proxy names another caller', async () => {
    const limits = { requestsPerMinute: 1 };
    const statusesAt = async ({ url }: Running): Promise<number[]> => {
      const statuses: number[] = [];
      for (const address of ['203.0.113.1', '203.0.113.2', '203.0.113.2'])
        statuses.push((await post(url, '/predict', texts(1), { 'x-forwarded-for': address })).status);
      return statuses;
    };
    expect(await statusesAt(await start({ limits }))).toEqual([200, 429, 429]);
    const server = { host: '127.0.0.1', port: 0, trustProxy: 1 };
    expect(await statusesAt(await start({ limits, server }))).toEqual([200, 200, 429]);
  });
});

describe('rows and tokens', () => {
  it('are counted whole or not at all; more than a window has is 413', async () => {
    const { url, client } = await start({ limits: { rowsPerMinute: 10 } });
    const ask = async (rows: number): Promise<number> =>
      (await post(url, '/v1/models/spam/infer', lines(rows))).status;
    expect([await ask(6), await ask(5), await ask(4), await ask(1), await ask(11)]).toEqual([
      200, 429, 200, 429, 413,
    ]);
    expect(await client.metric('carpool_rate_limited_total{reason="rows_per_minute"}')).toBe(2);
  });

  it('are given back where the queue takes none of them', async () => {
    const { url } = await start({ batching: { maxQueue: 4 }, limits: { rowsPerMinute: 10 } });
    const ask = async (rows: number): Promise<unknown[]> => {
      const { status, headers } = await post(url, '/v1/models/spam/infer', lines(rows));
      return [status, headers.get('ratelimit-remaining')];
    };
    expect([await ask(8), await ask(8), await ask(4)]).toEqual([
      [413, '10'],
      [413, '10'],
      [200, '6'],
    ]);
  });

  it('tokens are those that run, [CLS] and [SEP] too', async () => {
    const { url } = await start({ limits: { tokensPerMinute: 14 } });
    const ask = async (): Promise<unknown[]> => {
      const { status, headers } = await post(url, '/v1/models/spam/infer', lines(1));
      return [status, headers.get('ratelimit-remaining')];
    };
    expect([await ask(), await ask(), await ask()]).toEqual([
      [200, '8'],
      [200, '2'],
      [429, '0'],
    ]);
  });

  it('a stream that runs into them ends with the error as its last line', async () => {
    const { url } = await start({ batching: { maxBatch: 2 }, limits: { rowsPerMinute: 16 } });
    const rows = Array.from({ length: 40 }, (_, i) => `message number ${i}`);
    const answer = await post(
      url,
      '/v1/models/spam/infer',
      { texts: rows },
      { accept: 'application/x-ndjson' },
    );
    const answers = (await answer.text()).trim().split('\n');
    expect(answer.status).toBe(200);
    expect(answers.length).toBe(17);
    expect(answers.at(-1)).toContain('RATE_LIMITED');
  });
});

describe('gRPC', () => {
  it('RESOURCE_EXHAUSTED with the same numbers as trailers; health is free', async () => {
    const running = await start({ grpc: { enabled: true, port: 0 }, limits: { requestsPerMinute: 1 } });
    const client = new GrpcClient(running.grpc!);
    const request = {
      ...{
        model_name: 'fraud_detector',
        inputs: [{ name: 'float_input', datatype: 'FP32', shape: [1, 30] }],
      },
      raw_input_contents: [Buffer.alloc(120)],
    };
    expect((await client.infer(request)).code).toBe(0);
    const { code, carpoolCode, details } = await client.infer(request);
    expect([code, carpoolCode]).toEqual([8, 'RATE_LIMITED']);
    expect(details).toContain('at most 1 requests');
    for (let i = 0; i < 3; i++) expect((await client.ask('ServerReady')).value).toEqual({ ready: true });
    client.close();
  });
});

describe('Redis', () => {
  it('gateways count together; while it is away all pass', async () => {
    const stub = await startRedisStub();
    const limits = { requestsPerMinute: 2, redisUrl: stub.url };
    const [one, two] = [await start({ limits }), await start({ limits })];
    const ask = async ({ url }: Running): Promise<number> => (await post(url, '/predict', texts(1))).status;
    expect([await ask(one), await ask(two), await ask(one), await ask(two)]).toEqual([200, 200, 429, 429]);
    await stub.close();
    expect([await ask(one), await ask(one)]).toEqual([200, 200]);
    expect(await one.client.metric('carpool_rate_limit_store_failures_total')).toBeGreaterThan(0);
  });

  it('or none passes', async () => {
    const limits = { requestsPerMinute: 2, redisUrl: 'redis://127.0.0.1:1', onRedisFailure: 'deny' as const };
    const { url, client } = await start({ limits });
    expect((await post(url, '/predict', texts(1))).status).toBe(429);
    expect(await client.metric('carpool_rate_limited_total{reason="store_down"}')).toBe(1);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });
});
