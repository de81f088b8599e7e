import { describe, expect, it } from '@jest/globals';
import { readBody } from '../../src/http/body.js';
import { sendJson } from '../../src/http/reply.js';
import { createHttpServer } from '../../src/http/server.js';
import { silentLogger } from '../../src/telemetry/logger.js';
import { gate, get, OPTIONS, post, rawClient, Recorder, withServer, type ErrorBody } from './harness.js';

const hello = get((_req, res) => void sendJson(res, 200, { hello: true }));
const GET_X = 'GET /x HTTP/1.1\r\nhost: x\r\n\r\n';

const bodyOf = (answer: string): ErrorBody =>
  JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))) as ErrorBody;

const tryToConnect = (port: number): Promise<unknown> =>
  rawClient(port).then(
    ({ socket }) => socket.destroy(),
    (error: unknown) => (error as { code?: unknown }).code,
  );

describe('what is no HTTP', () => {
  it.each([
    ['garbage', 'hello there\r\n\r\n'],
    ['a bad header', 'GET /x HTTP/1.1\r\nhost: x\r\nbad header: 1\r\n\r\n'],
    ['two lengths', 'POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
    ['a bad length', 'POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n'],
    ['smuggling', 'POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n'],
  ])('%s is 400 in JSON, counted', (_name, bytes) =>
    withServer(hello, async ({ port, recorder }) => {
      const answer = await (await rawClient(port, bytes)).closed();
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      const { code, requestId } = bodyOf(answer).error;
      expect(code).toBe('INVALID_REQUEST');
      expect(answer).toContain(`x-request-id: ${requestId}`);
      expect(await recorder.next()).toMatchObject({ route: 'malformed', status: 400, requestId });
      expect(recorder.inFlight).toBe(0);
    }),
  );

  it('headers that are too large are 431', () =>
    withServer(hello, async ({ port, recorder }) => {
      const bytes = `GET /x HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(20_000)}\r\n\r\n`;
      const answer = await (await rawClient(port, bytes)).closed();
      expect(answer).toMatch(/^HTTP\/1\.1 431 /);
      expect(bodyOf(answer).error.code).toBe('HEADERS_TOO_LARGE');
      expect(await recorder.next()).toMatchObject({ status: 431, code: 'HEADERS_TOO_LARGE' });
    }));

  it('headers that do not come are 408', () =>
    withServer(
      hello,
      async ({ port }) => {
        const client = await rawClient(port, 'GET /x HTTP/1.1\r\nhost: ');
        const answer = await client.closed();
        expect(answer).toMatch(/^HTTP\/1\.1 408 /);
        expect(bodyOf(answer).error.code).toBe('BODY_TIMEOUT');
      },
      { headersTimeoutMs: 50 },
    ));

  it('a body that breaks off in bad chunks harms no other connection', () =>
    withServer(
      post(
        async (req, res) =>
          void sendJson(res, 200, {
            length: (await readBody(req, { limitBytes: 99, timeoutMs: 9999 })).length,
          }),
      ),
      async ({ port, url, recorder }) => {
        const client = await rawClient(
          port,
          'POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
        );
        expect(await client.closed()).toMatch(/^HTTP\/1\.1 400 /);
        expect(await recorder.next()).toMatchObject({ route: '/x', code: 'CLIENT_GONE' });
        expect(await (await fetch(`${url}/x`, { method: 'POST', body: 'abc' })).json()).toEqual({
          length: 3,
        });
      },
    ));
});

describe('listen', () => {
  it('says what to do when the port is taken, and keeps the code', () =>
    withServer(hello, async ({ port }) => {
      const deps = { observer: new Recorder(), logger: silentLogger() };
      const second = createHttpServer(() => undefined, OPTIONS, deps);
      const failed = second.listen('127.0.0.1', port);
      await expect(failed).rejects.toMatchObject({ code: 'EADDRINUSE' });
      await expect(failed).rejects.toThrow(`cannot listen on 127.0.0.1:${port}: the port is in use`);
      await second.closeGracefully();
    }));
});

describe('closeGracefully', () => {
  it('finishes what is under way, says Connection: close, and takes nothing new', async () => {
    const arrived = gate();
    const mayAnswer = gate();
    const slow = get(async (_req, res) => {
      arrived.open();
      await mayAnswer.opened;
      sendJson(res, 200, { late: true });
    });
    await withServer(slow, async ({ port, server }) => {
      const client = await rawClient(port, GET_X);
      await arrived.opened;
      const closed = server.closeGracefully();
      while ((await tryToConnect(port)) !== 'ECONNREFUSED');
      mayAnswer.open();
      const answer = await client.closed();
      expect(answer).toContain('{"late":true}');
      expect(answer.toLowerCase()).toContain('connection: close');
      await closed;
    });
  });

  it('is not held up by idle connections, nor by those that never sent anything', () =>
    withServer(hello, async ({ port, server }) => {
      const silent = await rawClient(port);
      const idle = await rawClient(port, GET_X);
      await idle.until('{"hello":true}');
      expect(idle.text().toLowerCase()).toContain('connection: keep-alive');
      await server.closeGracefully();
      await Promise.all([silent.closed(), idle.closed()]);
    }));

  it('closes a connection whose answer had begun before, once the answer is out', async () => {
    const mayEnd = gate();
    const streaming = get(async (_req, res) => {
      res.writeHead(200, { 'content-length': 2 });
      res.write('a');
      await mayEnd.opened;
      res.end('b');
    });
    await withServer(streaming, async ({ port, server }) => {
      const client = await rawClient(port, GET_X);
      await client.until('\r\n\r\na');
      const closed = server.closeGracefully();
      while ((await tryToConnect(port)) !== 'ECONNREFUSED');
      mayEnd.open();
      expect(await client.closed()).toMatch(/\r\n\r\nab$/);
      await closed;
    });
  });

  it('still answers a request that arrived just before', () =>
    withServer(hello, async ({ port, server }) => {
      const client = await rawClient(port, GET_X);
      await client.until('{"hello":true}');
      client.socket.write(GET_X);
      // Let the bytes reach the server's side of the socket before the drain begins.
      await new Promise((resolve) => client.socket.write('', resolve));
      await server.closeGracefully();
      expect((await client.closed()).match(/"hello"/g)).toHaveLength(2);
    }));

  it('answers those that still wait to be taken, too', () =>
    withServer(hello, async ({ port, server }) => {
      const clients = await Promise.all(Array.from({ length: 40 }, () => rawClient(port, GET_X)));
      await server.closeGracefully();
      const answers = await Promise.all(clients.map((client) => client.closed()));
      expect(answers.filter((answer) => !answer.includes('{"hello":true}'))).toEqual([]);
    }));

  it('resolves for a server that never listened', async () => {
    const deps = { observer: new Recorder(), logger: silentLogger() };
    await createHttpServer(() => undefined, OPTIONS, deps).closeGracefully();
  });
});

describe('closeNow', () => {
  it('cuts requests that are under way', async () => {
    const arrived = gate();
    const stuck = get(async () => {
      arrived.open();
      return new Promise<void>(() => undefined);
    });
    await withServer(stuck, async ({ port, server, recorder }) => {
      const client = await rawClient(port, GET_X);
      await arrived.opened;
      await server.closeNow();
      expect(await client.closed()).toBe('');
      expect((await recorder.next()).code).toBe('CLIENT_GONE');
    });
  });
});
