import { describe, expect, it } from '@jest/globals';
import type { Exchange } from '../../src/http/exchange.js';
import { sendJson } from '../../src/http/reply.js';
import { pathParam } from '../../src/http/router.js';
import { gate, get, post, rawClient, withServer } from './harness.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('request id', () => {
  it.each([
    ['abc-123', 'abc-123'],
    ['a.b:c_d-9', 'a.b:c_d-9'],
    ['x'.repeat(128), 'x'.repeat(128)],
  ])('%s is returned as it came', (id, expected) =>
    withServer(
      get((_req, res) => void sendJson(res, 200, {})),
      async ({ url }) => {
        const response = await fetch(`${url}/x`, { headers: { 'x-request-id': id } });
        expect(response.headers.get('x-request-id')).toBe(expected);
      },
    ),
  );

  it.each(['', 'two words', 'x'.repeat(129), 'a/b', 'a"b'])('%j is replaced by a new one', (id) =>
    withServer(
      get((_req, res) => void sendJson(res, 200, {})),
      async ({ url }) => {
        const response = await fetch(`${url}/x`, { headers: { 'x-request-id': id } });
        expect(response.headers.get('x-request-id')).toMatch(UUID);
      },
    ),
  );

  it('comes with errors, unknown paths, wrong methods and OPTIONS too', () =>
    withServer(
      get(() => {
        throw new Error('x');
      }),
      async ({ url }) => {
        const headers = { 'x-request-id': 'mine' };
        const answers = [
          await fetch(`${url}/x`, { headers }),
          await fetch(`${url}/nowhere`, { headers }),
          await fetch(`${url}/x`, { headers, method: 'DELETE' }),
          await fetch(`${url}/x`, { headers, method: 'OPTIONS' }),
        ];
        expect(answers.map(({ status }) => status)).toEqual([500, 404, 405, 204]);
        expect(answers.map((answer) => answer.headers.get('x-request-id'))).toEqual(Array(4).fill('mine'));
      },
    ));
});

describe('record', () => {
  it('has the pattern as route, the path without its query, the status and what the handler noted', () =>
    withServer(
      [
        {
          path: '/v1/models/:m/infer',
          post: (req, res, exchange) => {
            exchange.model = pathParam(req, 'm');
            exchange.rows = 3;
            exchange.runMs = 1.5;
            sendJson(res, 200, {});
          },
        },
      ],
      async ({ url, recorder }) => {
        await fetch(`${url}/v1/models/spam/infer?secret=1`, { method: 'POST' });
        const record = await recorder.next();
        expect(record).toMatchObject({
          method: 'POST',
          route: '/v1/models/:m/infer',
          path: '/v1/models/spam/infer',
          status: 200,
          model: 'spam',
          rows: 3,
          runMs: 1.5,
          code: undefined,
        });
        expect(record.ms).toBeGreaterThan(0);
        expect(recorder.inFlight).toBe(0);
      },
    ));

  it('labels unknown paths with one route, whatever they are', () =>
    withServer([], async ({ url, recorder }) => {
      await fetch(`${url}/a`);
      await fetch(`${url}/b`);
      const records = [await recorder.next(), await recorder.next()];
      expect(records.map(({ route }) => route)).toEqual(['unmatched', 'unmatched']);
      expect(records.map(({ code }) => code)).toEqual(['NOT_FOUND', 'NOT_FOUND']);
    }));
});

describe('a client that goes away', () => {
  const leave = async (
    handler: (exchange: Exchange) => Promise<void>,
  ): Promise<{ status: number; code: string | undefined }> => {
    const arrived = gate();
    let result = { status: 0, code: undefined as string | undefined };
    await withServer(
      post(async (_req, _res, exchange) => {
        arrived.open();
        await handler(exchange);
      }),
      async ({ port, recorder }) => {
        const client = await rawClient(port, 'POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n');
        await arrived.opened;
        client.socket.destroy();
        const { status, code } = await recorder.next();
        result = { status, code };
        expect(recorder.inFlight).toBe(0);
      },
    );
    return result;
  };

  it('fires the signal, and is recorded as 499 CLIENT_GONE', async () => {
    let isAborted = false;
    const result = await leave(async (exchange) => {
      const { signal } = exchange;
      expect(signal.aborted).toBe(false);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      isAborted = exchange.signal.aborted && exchange.isGone;
    });
    expect(result).toEqual({ status: 499, code: 'CLIENT_GONE' });
    expect(isAborted).toBe(true);
  });

  it('calls onGone, but not what was cancelled, and at once when it is too late', async () => {
    const calls: string[] = [];
    await leave(async (exchange) => {
      const cancel = exchange.onGone(() => calls.push('cancelled'));
      cancel();
      await new Promise<void>((resolve) => exchange.onGone(resolve));
      exchange.onGone(() => calls.push('late'));
      calls.push(exchange.signal.aborted ? 'late signal' : 'no signal');
    });
    expect(calls).toEqual(['late', 'late signal']);
  });

  it('is not what an answered request looks like', () =>
    withServer(
      get((_req, res, exchange) => {
        exchange.onGone(() => {
          throw new Error('not gone');
        });
        sendJson(res, 200, {});
      }),
      async ({ url, recorder }) => {
        await fetch(`${url}/x`);
        expect((await recorder.next()).status).toBe(200);
      },
    ));
});
