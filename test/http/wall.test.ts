import { describe, expect, it } from '@jest/globals';
import express from 'express';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClientAddress } from '../../src/client-address.js';
import { createCors } from '../../src/http/cors.js';
import { docsRoutes } from '../../src/http/docs-routes.js';
import { sendJson } from '../../src/http/reply.js';
import { createHttpRouter } from '../../src/http/router.js';
import { securityHeaders } from '../../src/http/security-headers.js';
import { silentLogger } from '../../src/telemetry/logger.js';
import { get, rawClient, Recorder, withServer } from './harness.js';

const hello = get((_req, res, { caller }) => void sendJson(res, 200, { caller }));
const helmet = { wall: { headers: securityHeaders() } };

describe('helmet', () => {
  it('is on every kind of answer', () =>
    withServer(
      [...hello, ...docsRoutes()],
      async ({ url, port }) => {
        const answers = [
          await fetch(`${url}/x`),
          await fetch(`${url}/nowhere`),
          await fetch(`${url}/x`, { method: 'POST' }),
          await fetch(`${url}/x`, { method: 'OPTIONS' }),
          await fetch(`${url}/docs/init.js`),
        ];
        expect(answers.map(({ status }) => status)).toEqual([200, 404, 405, 204, 200]);
        for (const { headers } of answers) {
          expect(headers.get('x-content-type-options')).toBe('nosniff');
          expect(headers.get('content-security-policy')).toContain("default-src 'self'");
          expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
          expect(headers.get('x-request-id')).not.toBeNull();
        }
        const malformed = await (await rawClient(port, 'hello\r\n\r\n')).closed();
        expect(malformed).toContain('x-content-type-options: nosniff');
      },
      helmet,
    ));

  it('leaves the policy of /docs to /docs', () =>
    withServer(
      docsRoutes(),
      async ({ url }) => {
        const { headers } = await fetch(`${url}/docs`);
        expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'/);
        expect(headers.get('x-content-type-options')).toBe('nosniff');
        const again = await fetch(`${url}/docs`, { headers: { 'if-none-match': headers.get('etag') ?? '' } });
        expect([again.status, again.headers.get('x-frame-options')]).toEqual([304, 'SAMEORIGIN']);
      },
      helmet,
    ));

  it('leaves what the app has set that the router is mounted in', async () => {
    const deps = { observer: new Recorder(), logger: silentLogger(), now: () => performance.now() };
    const app = express();
    app.use((_req, res, next) => {
      res.setHeader('content-security-policy', 'sandbox');
      next();
    });
    app.use(createHttpRouter(hello, { ...deps, headers: securityHeaders() }).router);
    const server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    // A server that listens on a port has an address of this kind.
    const { port } = server.address() as AddressInfo;
    const { headers } = await fetch(`http://127.0.0.1:${port}/x`, { headers: { connection: 'close' } });
    expect(headers.get('content-security-policy')).toBe('sandbox');
    expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
    server.close();
  });
});

const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-api-key' };

describe('CORS', () => {
  it('is off by default', () =>
    withServer(hello, async ({ url }) => {
      const headers = { origin: 'https://app.example.com', ...preflight };
      for (const method of ['GET', 'OPTIONS'])
        expect(
          (await fetch(`${url}/x`, { method, headers })).headers.has('access-control-allow-origin'),
        ).toBe(false);
    }));

  const allowed = { wall: { cors: createCors(['https://app.example.com']) } };

  it('lets pages of the origins that are named call, errors included', () =>
    withServer(
      hello,
      async ({ url, recorder }) => {
        const headers = { origin: 'https://app.example.com' };
        for (const target of ['/x', '/nowhere']) {
          const answer = await fetch(`${url}${target}`, { headers });
          expect(answer.headers.get('access-control-allow-origin')).toBe(headers.origin);
          expect(answer.headers.get('access-control-expose-headers')).toContain('x-request-id');
          expect(answer.headers.get('vary')).toBe('Origin');
        }
        const asked = await fetch(`${url}/x`, { method: 'OPTIONS', headers: { ...headers, ...preflight } });
        expect(asked.status).toBe(204);
        expect(asked.headers.get('access-control-allow-methods')).toContain('POST');
        expect(asked.headers.get('access-control-allow-headers')).toBe('x-api-key');
        expect(asked.headers.get('access-control-allow-credentials')).toBeNull();
        expect(asked.headers.get('x-request-id')).not.toBeNull();
        expect(recorder.records).toHaveLength(3);
      },
      allowed,
    ));

  it('answers preflights where other methods belong to others', () =>
    withServer(
      [{ path: '/x', post: (_req, res) => void sendJson(res, 200, {}), isShared: true }],
      async ({ url }) => {
        const headers = { origin: 'https://app.example.com', ...preflight };
        const asked = await fetch(`${url}/x`, { method: 'OPTIONS', headers });
        expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([
          204,
          headers.origin,
        ]);
      },
      allowed,
    ));

  it.each(['https://evil.example.com', 'https://app.example.com.evil.com', 'http://app.example.com', 'null'])(
    'does not let those of %s',
    (origin) =>
      withServer(
        hello,
        async ({ url }) => {
          for (const method of ['GET', 'OPTIONS']) {
            const { headers } = await fetch(`${url}/x`, { method, headers: { origin, ...preflight } });
            expect(headers.has('access-control-allow-origin')).toBe(false);
          }
        },
        allowed,
      ),
  );

  it('* lets all', () =>
    withServer(
      hello,
      async ({ url }) => {
        const { headers } = await fetch(`${url}/x`, { headers: { origin: 'https://any.example' } });
        expect(headers.get('access-control-allow-origin')).toBe('*');
      },
      { wall: { cors: createCors(['*']) } },
    ));
});

describe('the caller', () => {
  const callerOf = async (url: string): Promise<unknown> =>
    (await fetch(`${url}/x`, { headers: { 'x-forwarded-for': '203.0.113.7' } })).json();

  it('is the connection’s address, whatever headers say', () =>
    withServer(hello, async ({ url }) => expect(await callerOf(url)).toEqual({ caller: '127.0.0.1' })));

  it('is whom a trusted proxy names', () =>
    withServer(hello, async ({ url }) => expect(await callerOf(url)).toEqual({ caller: '203.0.113.7' }), {
      wall: { addressOf: createClientAddress(1) },
    }));
});
