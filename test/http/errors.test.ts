import { describe, expect, it } from '@jest/globals';
import { CarpoolError, ERROR_TABLE, isErrorCode, type ErrorCode } from '../../src/errors.js';
import { publicError } from '../../src/http/error-handler.js';
import { sendJson } from '../../src/http/reply.js';
import { errorOf, get, rawClient, withServer } from './harness.js';

const CODES = Object.keys(ERROR_TABLE).filter(isErrorCode);

const throwing = (error: unknown): ReturnType<typeof get> =>
  get(() => {
    throw error;
  });

describe('publicError', () => {
  it.each(CODES.filter((code) => code !== 'INTERNAL'))('%s has the status of the table', (code) => {
    const { status, message } = publicError(new CarpoolError(code, 'expected a, got b'));
    expect({ status, message }).toEqual({ status: ERROR_TABLE[code].http, message: 'expected a, got b' });
  });

  it('reads the code, not the class', () => {
    const fromThread = { code: 'WORKER_LOST', message: 'lane 3 died' };
    expect(publicError(fromThread)).toMatchObject({ status: 503, message: 'lane 3 died' });
  });

  it.each([
    new Error('secret'),
    Object.assign(new Error('secret'), { code: 'ECONNREFUSED' }),
    Object.assign(new Error('secret'), { code: 'toString' }),
    new CarpoolError('INTERNAL', 'secret'),
    'secret',
    null,
    undefined,
  ])('hides what is not of the table: %p', (error) =>
    expect(publicError(error)).toEqual({ code: 'INTERNAL', status: 500, message: 'internal error' }),
  );

  it.each<[ErrorCode, number | undefined, number | undefined]>([
    ['QUEUE_FULL', 0.2, 1],
    ['QUEUE_FULL', 2.1, 3],
    ['QUEUE_FULL', 0, 1],
    ['QUEUE_FULL', NaN, 1],
    ['RATE_LIMITED', undefined, 1],
    ['DRAINING', undefined, 1],
    ['DEADLINE_EXCEEDED', 2.1, 3],
    ['DEADLINE_EXCEEDED', undefined, 1],
    ['INVALID_REQUEST', 5, undefined],
    ['EXECUTION_FAILED', undefined, undefined],
  ])('%s after %p s: Retry-After %p', (code, retryAfterSeconds, expected) => {
    const details = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
    expect(publicError(new CarpoolError(code, '', details)).retryAfterSeconds).toBe(expected);
  });
});

describe('the answer to an error', () => {
  it('has code, message and request id, and nothing else', () =>
    withServer(
      throwing(new CarpoolError('QUEUE_FULL', 'full', { retryAfterSeconds: 1.5 })),
      async ({ url, recorder }) => {
        const response = await fetch(`${url}/x`, { headers: { 'x-request-id': 'r1' } });
        expect(response.status).toBe(429);
        expect(response.headers.get('retry-after')).toBe('2');
        expect(await response.json()).toEqual({
          error: { code: 'QUEUE_FULL', message: 'full', requestId: 'r1' },
        });
        expect(await recorder.next()).toMatchObject({ status: 429, code: 'QUEUE_FULL' });
      },
    ));

  it('comes for a rejected promise too', () =>
    withServer(
      get(async () => Promise.reject(new CarpoolError('CONFLICT', 'busy'))),
      async ({ url }) => expect((await fetch(`${url}/x`)).status).toBe(409),
    ));

  it('keeps the detail of our own bugs in the log', () =>
    withServer(throwing(new Error('secret')), async ({ url, lines }) => {
      const response = await fetch(`${url}/x`, { headers: { 'x-request-id': 'r2' } });
      expect(await errorOf(response)).toEqual({
        code: 'INTERNAL',
        message: 'internal error',
        requestId: 'r2',
      });
      expect(lines).toMatchObject([{ level: 'error', requestId: 'r2', err: { message: 'secret' } }]);
      expect(JSON.stringify(lines)).toContain('errors.test');
    }));

  it('logs what failed on our side, not what the caller did wrong', () =>
    withServer(
      [
        ...throwing(new CarpoolError('INVALID_REQUEST', 'no')),
        {
          path: '/y',
          get: () => {
            throw new CarpoolError('EXECUTION_FAILED', 'ort says no', { cause: new Error('why') });
          },
        },
      ],
      async ({ url, lines }) => {
        await fetch(`${url}/x`);
        await fetch(`${url}/y`);
        expect(lines).toMatchObject([{ level: 'warn', code: 'EXECUTION_FAILED', cause: 'why' }]);
      },
    ));

  it('cuts the connection when an answer had begun', () =>
    withServer(
      get((_req, res) => {
        res.writeHead(200, { 'content-length': 100 });
        res.write('half');
        throw new Error('late');
      }),
      async ({ port, lines }) => {
        const client = await rawClient(port, 'GET /x HTTP/1.1\r\nhost: x\r\n\r\n');
        expect(await client.closed()).not.toContain('INTERNAL');
        expect(lines).toMatchObject([{ err: { message: 'late' } }]);
      },
    ));

  it('does not hurt an answer that is complete but still on its way', () =>
    withServer(
      get((_req, res) => {
        sendJson(res, 200, { text: 'a'.repeat(20_000_000) });
        throw new Error('afterwards');
      }),
      async ({ url, lines }) => {
        const { text } = (await (await fetch(`${url}/x`)).json()) as { text: string };
        expect(text).toHaveLength(20_000_000);
        expect(lines).toMatchObject([{ err: { message: 'afterwards' } }]);
      },
    ));
});

describe('a client that is gone', () => {
  it('is no news, whatever its cancelled work fails with', () =>
    withServer(
      get(async (_req, _res, exchange) => {
        await new Promise<void>((resolve) => exchange.onGone(resolve));
        throw new Error('cancelled');
      }),
      async ({ port, recorder, lines }) => {
        const client = await rawClient(port, 'GET /x HTTP/1.1\r\nhost: x\r\n\r\n');
        client.socket.end();
        client.socket.destroySoon();
        expect(await recorder.next()).toMatchObject({ status: 499, code: 'CLIENT_GONE' });
        await new Promise(setImmediate);
        expect(lines).toEqual([]);
      },
    ));

  it('gets nothing, and its connection is closed', () =>
    withServer(throwing(new CarpoolError('CLIENT_GONE', 'gone')), async ({ port, recorder }) => {
      const client = await rawClient(port, 'GET /x HTTP/1.1\r\nhost: x\r\n\r\n');
      expect(await client.closed()).toBe('');
      expect((await recorder.next()).status).toBe(499);
    }));
});

describe('what the router refuses', () => {
  it('names method and path where there is nothing', () =>
    withServer([], async ({ url }) => {
      const response = await fetch(`${url}/v1/none?token=secret`, { method: 'POST' });
      expect(response.status).toBe(404);
      const { code, message } = await errorOf(response);
      expect([code, message]).toEqual(['NOT_FOUND', 'there is no POST /v1/none']);
    }));

  it('says which methods a path has', () =>
    withServer(
      [{ path: '/m', get: (_req, res) => void sendJson(res, 200, {}), delete: () => undefined }],
      async ({ url }) => {
        const response = await fetch(`${url}/m`, { method: 'POST' });
        expect(response.status).toBe(405);
        expect(response.headers.get('allow')).toBe('GET, HEAD, DELETE, OPTIONS');
        expect((await errorOf(response)).message).toBe('expected GET, HEAD, DELETE on /m, got POST');
        const options = await fetch(`${url}/m`, { method: 'OPTIONS' });
        expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, DELETE, OPTIONS']);
      },
    ));

  it.each(['/v1/models/%zz', '/v1/models/%', '/v1/models/%E0%A4%A'])('%s is INVALID_REQUEST', (path) =>
    withServer([{ path: '/v1/models/:m', get: () => undefined }], async ({ url, recorder, lines }) => {
      const response = await fetch(`${url}${path}`);
      expect(response.status).toBe(400);
      expect((await errorOf(response)).code).toBe('INVALID_REQUEST');
      expect(response.headers.get('x-request-id')).not.toBeNull();
      expect(await recorder.next()).toMatchObject({ status: 400, code: 'INVALID_REQUEST' });
      expect(lines).toEqual([]);
    }),
  );
});
