import { describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { readBody } from '../../src/http/body.js';
import { send, sendJson } from '../../src/http/reply.js';
import type { Route } from '../../src/http/router.js';
import { LineWriter } from '../../src/protocol/own/line-writer.js';
import { until } from '../support/start-gateway.js';
import { gate, get, rawClient, withServer, type RawClient } from './harness.js';

const LIMITS = { limitBytes: 1000, timeoutMs: 10_000 };
const GET_X = 'GET /x HTTP/1.1\r\nhost: x\r\n\r\n';

const echo: Route = {
  path: '/x',
  get: (_req, res) => void sendJson(res, 200, { hello: true }),
  post: async (req, res) => void sendJson(res, 200, { bytes: (await readBody(req, LIMITS)).byteLength }),
};

const answersWell = async (url: string): Promise<void> => {
  expect(await (await fetch(`${url}/x`)).json()).toEqual({ hello: true });
};

/** Sends `bytes` one after the other, with a pause, until the connection is closed. */
const drip = async (client: RawClient, bytes: string): Promise<string> => {
  let at = 0;
  const timer = setInterval(() => client.socket.write(bytes[at++ % bytes.length] ?? ''), 10);
  try {
    return await client.closed();
  } finally {
    clearInterval(timer);
  }
};

describe('clients that are slow to send', () => {
  it.each([
    ['nothing at all', ''],
    ['half a line', 'GET /x HT'],
  ])('%s: closed after the time for headers, and the others are served meanwhile', (_what, bytes) =>
    withServer(
      [echo],
      async ({ port, url, connections }) => {
        const clients = await Promise.all(Array.from({ length: 50 }, () => rawClient(port, bytes)));
        await answersWell(url);
        await Promise.all(clients.map((client) => client.closed()));
        await until('the server has forgotten them', () => connections() <= 1);
        await answersWell(url);
      },
      { headersTimeoutMs: 200 },
    ),
  );

  it('headers that never end: 408, however alive the client looks', () =>
    withServer(
      [echo],
      async ({ port }) => {
        const client = await rawClient(port, 'GET /x HTTP/1.1\r\nhost: x\r\n');
        expect(await drip(client, 'a: b\r\n')).toMatch(/^HTTP\/1\.1 408 /);
      },
      { headersTimeoutMs: 200 },
    ));

  it('a body that never ends: 408, however alive the client looks', () => {
    const slow: Route = {
      path: '/x',
      post: async (req, res) =>
        void sendJson(res, 200, await readBody(req, { limitBytes: 1000, timeoutMs: 200 })),
    };
    return withServer([slow], async ({ port }) => {
      const client = await rawClient(port, 'POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n\r\n');
      expect(await drip(client, 'x')).toMatch(/^HTTP\/1\.1 408 [^]*BODY_TIMEOUT/);
    });
  });

  it('an idle connection is closed after the keep-alive time', () =>
    withServer(
      [echo],
      async ({ port }) => {
        const client = await rawClient(port, GET_X);
        await client.until('{"hello":true}');
        await client.closed();
      },
      { keepAliveTimeoutMs: 50 },
    ));
});

describe('clients that send too much', () => {
  it('a chunked body over the limit is refused while it comes', () =>
    withServer([echo], async ({ port, url }) => {
      const client = await rawClient(
        port,
        'POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n',
      );
      client.socket.write(`400\r\n${'x'.repeat(1024)}\r\n`);
      await client.until('PAYLOAD_TOO_LARGE');
      expect(client.text()).toMatch(/^HTTP\/1\.1 413 /);
      client.socket.destroy();
      await answersWell(url);
    }));

  it('a flood of headers is 431', () =>
    withServer([echo], async ({ port, url }) => {
      const headers = Array.from({ length: 4000 }, (_, i) => `x-${i}: 1\r\n`).join('');
      const client = await rawClient(port, `GET /x HTTP/1.1\r\nhost: x\r\n${headers}\r\n`);
      expect(await client.closed()).toMatch(/^HTTP\/1\.1 431 /);
      await answersWell(url);
    }));

  it('a flood of small requests on one connection ends it, before they are all begun', async () => {
    const held = gate();
    let begun = 0;
    const slow = get(async (_req, res) => {
      begun++;
      await held.opened;
      sendJson(res, 200, {});
    });
    await withServer(slow, async ({ port, cuts, recorder }) => {
      const client = await rawClient(port, GET_X.repeat(5000));
      await client.closed();
      expect(cuts).toEqual(['pipelining']);
      expect(begun).toBeLessThanOrEqual(256);
      await until('all are counted as lost', () => recorder.inFlight === 0);
      expect(new Set(recorder.records.map(({ code }) => code))).toEqual(new Set(['CLIENT_GONE']));
      held.open();
    });
  });

  it('a few requests ahead of their answers are answered in their order', () =>
    withServer([echo], async ({ port }) => {
      const client = await rawClient(port, GET_X.repeat(100));
      await until('all are there', () => client.text().split('{"hello":true}').length === 101);
      client.socket.destroy();
    }));

  it('more connections than there may be are closed as soon as they come', () =>
    withServer(
      [echo],
      async ({ port, url, cuts, connections }) => {
        const kept = [await rawClient(port), await rawClient(port)];
        await until('two are open', () => connections() === 2);
        const third = connect(port, '127.0.0.1').on('error', () => undefined);
        await new Promise((resolve) => third.once('close', resolve));
        expect(cuts).toEqual(['max_connections']);
        for (const { socket } of kept) socket.destroy();
        await until('there is room', () => connections() === 0);
        await answersWell(url);
      },
      { maxConnections: 2 },
    ));
});

/** More than the system takes from us for a client that does not read. */
const LARGE = Buffer.alloc(32 * 1024 * 1024, 'x');

describe('clients that do not read', () => {
  const large: Route = {
    path: '/x',
    get: (_req, res) => void send(res, 200, 'text/plain', LARGE),
    post: async (_req, res) => {
      const writer = new LineWriter(res);
      for (let i = 0; i < 8 && !res.destroyed; i++) {
        writer.write(LARGE.subarray(0, 4 * 1024 * 1024));
        await writer.ready();
      }
      writer.end();
    },
  };

  it.each([
    ['an answer', GET_X],
    ['a stream', 'POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n'],
    ['the second of two', GET_X.repeat(2)],
  ])('%s: cut off after the time for it', (_what, bytes) =>
    withServer(
      [large],
      async ({ port, cuts, recorder, connections }) => {
        const client = await rawClient(port);
        client.socket.pause();
        client.socket.write(bytes);
        expect((await recorder.next()).code).toBe('CLIENT_GONE');
        await until('it is gone', () => connections() === 0);
        expect(cuts).toContain('not_reading');
        client.socket.destroy();
      },
      { wall: { sendTimeoutMs: 200 } },
    ),
  );

  it('one that reads is not hurried', () =>
    withServer(
      [large],
      async ({ url, cuts }) => {
        expect((await (await fetch(`${url}/x`)).arrayBuffer()).byteLength).toBe(LARGE.byteLength);
        expect(cuts).toEqual([]);
      },
      { wall: { sendTimeoutMs: 30_000 } },
    ));
});

describe('clients that vanish', () => {
  it.each([
    ['before they say anything', ''],
    ['in their headers', 'POST /x HTTP/1.1\r\nhos'],
    ['in their body', 'POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n\r\nabc'],
    ['in a chunk', 'POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n400\r\nabc'],
    ['before their answer', GET_X],
  ])('%s leave nothing behind', (_what, bytes) => {
    const held = gate();
    const holding: Route = { ...echo, get: () => held.opened };
    return withServer([holding], async ({ port, recorder, connections }) => {
      for (const how of ['destroy', 'resetAndDestroy'] as const) {
        const client = await rawClient(port, bytes);
        await until('it is there', () => connections() === 1);
        client.socket[how]();
        await until('it is forgotten', () => connections() === 0 && recorder.inFlight === 0);
      }
      held.open();
    });
  });

  it('in the middle of a large answer: not counted as answered', () => {
    const large = get((_req, res) => void send(res, 200, 'text/plain', LARGE));
    return withServer(large, async ({ port, recorder, connections }) => {
      const client = await rawClient(port, GET_X);
      await client.until('xxx');
      client.socket.destroy();
      expect((await recorder.next()).code).toBe('CLIENT_GONE');
      await until('it is forgotten', () => connections() === 0);
    });
  });

  it('half-closed ones get their answer', () =>
    withServer([echo], async ({ port }) => {
      const client = await rawClient(port, GET_X);
      client.socket.end();
      expect(await client.closed()).toContain('{"hello":true}');
    }));
});
