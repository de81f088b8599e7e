import { describe, expect, it } from '@jest/globals';
import express from 'express';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readBody } from '../../src/http/body.js';
import { sendJson } from '../../src/http/reply.js';
import { createHttpRouter, pathParam, type Route } from '../../src/http/router.js';
import { silentLogger } from '../../src/telemetry/logger.js';
import { errorOf, Recorder } from './harness.js';

const LIMITS = { limitBytes: 200_000, timeoutMs: 10_000 };

const routes: readonly Route[] = [
  {
    path: '/models/:m',
    get: (req, res) => void sendJson(res, 200, { model: pathParam(req, 'm') }),
    post: async (req, res) => {
      const bytes = await readBody(req, LIMITS);
      sendJson(res, 200, { got: Buffer.from(bytes).toString() });
    },
  },
  { path: '/shared', isShared: true, post: (_req, res) => void sendJson(res, 200, { gateway: true }) },
];

const mounted = async (
  test: (url: string, recorder: Recorder) => Promise<void>,
  hostOf: (gateway: express.Router) => RequestListener,
): Promise<void> => {
  const recorder = new Recorder();
  const deps = { observer: recorder, logger: silentLogger(), now: () => performance.now() };
  const server = createServer(hostOf(createHttpRouter(routes, deps).router));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a port has an address of this kind.
  const { port } = server.address() as AddressInfo;
  try {
    await test(`http://127.0.0.1:${port}`, recorder);
  } finally {
    server.closeAllConnections();
    server.close();
  }
};

/** An app that reads bodies with `parser` and has a page of its own behind the gateway. */
const app =
  (...parsers: express.RequestHandler[]) =>
  (gateway: express.Router): RequestListener => {
    const host = express();
    for (const parser of parsers) host.use(parser);
    host.use('/ai', gateway);
    for (const page of ['/ai/own', '/ai/shared']) host.get(page, (_req, res) => void res.send('host'));
    return host;
  };

const JSON_POST = { method: 'POST', headers: { 'content-type': 'application/json' } };

describe('mounted in an Express app', () => {
  it('leaves the other methods of a shared path to the app', () =>
    mounted(async (url, recorder) => {
      expect(await (await fetch(`${url}/ai/shared`)).text()).toBe('host');
      expect(recorder.records).toEqual([]);
      expect(await (await fetch(`${url}/ai/shared`, JSON_POST)).json()).toEqual({ gateway: true });
    }, app()));

  it('answers below the mount point, and counts with the whole path', () =>
    mounted(async (url, recorder) => {
      const response = await fetch(`${url}/ai/models/spam`);
      expect(await response.json()).toEqual({ model: 'spam' });
      expect(await recorder.next()).toMatchObject({ route: '/models/:m', path: '/ai/models/spam' });
    }, app()));

  it('leaves paths that it does not know to the app, uncounted', () =>
    mounted(async (url, recorder) => {
      expect(await (await fetch(`${url}/ai/own`)).text()).toBe('host');
      expect((await fetch(`${url}/ai/none`)).status).toBe(404);
      expect(recorder.records).toEqual([]);
      expect(recorder.inFlight).toBe(0);
    }, app()));

  it('answers its own errors itself', () =>
    mounted(async (url) => {
      expect((await errorOf(await fetch(`${url}/ai/models/%zz`))).code).toBe('INVALID_REQUEST');
      const put = await fetch(`${url}/ai/models/spam`, { method: 'PUT' });
      expect((await errorOf(put)).code).toBe('METHOD_NOT_ALLOWED');
    }, app()));

  it.each<[string, express.RequestHandler[]]>([
    ['no parser', []],
    ['express.json', [express.json()]],
    ['express.raw', [express.raw({ type: '*/*' })]],
    ['express.text', [express.text({ type: '*/*' })]],
  ])('takes the body behind %s', (_name, parsers) =>
    mounted(
      async (url) => {
        const body = '{"texts":["a"]}';
        const response = await fetch(`${url}/ai/models/spam`, { ...JSON_POST, body });
        expect(await response.json()).toEqual({ got: body });
      },
      app(...parsers),
    ),
  );

  it('reads a body that Express 4 has left unread behind an empty object', () =>
    mounted(
      async (url) => {
        const response = await fetch(`${url}/ai/models/spam`, { method: 'POST', body: '{"a":1}' });
        expect(await response.json()).toEqual({ got: '{"a":1}' });
      },
      app((req, _res, next) => {
        req.body = {};
        next();
      }),
    ));

  it('holds the limit for bodies that somebody else has read', () =>
    mounted(
      async (url) => {
        const body = JSON.stringify({ texts: ['a'.repeat(200_000)] });
        const response = await fetch(`${url}/ai/models/spam`, { ...JSON_POST, body });
        expect((await errorOf(response)).code).toBe('PAYLOAD_TOO_LARGE');
      },
      app(express.json({ limit: '1mb' })),
    ));

  it('says so when somebody has swallowed the body', () =>
    mounted(
      async (url) => {
        const response = await fetch(`${url}/ai/models/spam`, { ...JSON_POST, body: '{}' });
        expect(response.status).toBe(500);
      },
      app((req, _res, next) => {
        req.resume().on('end', next);
      }),
    ));
});

describe('createHttpRouter', () => {
  it('refuses two routes of one path', () => {
    const deps = { observer: new Recorder(), logger: silentLogger(), now: () => 0 };
    expect(() => createHttpRouter([...routes, ...routes], deps)).toThrow('two routes for /models/:m');
  });
});
