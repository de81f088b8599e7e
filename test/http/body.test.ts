import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readBody, type BodyLimits } from '../../src/http/body.js';
import { requireJson } from '../../src/http/content-type.js';
import { sendJson } from '../../src/http/reply.js';
import type { Exchange } from '../../src/http/exchange.js';
import type { Handler } from '../../src/http/router.js';
import { errorOf, gate, post, rawClient, withServer } from './harness.js';

const LIMITS: BodyLimits = { limitBytes: 1_000_000, timeoutMs: 10_000 };

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Answers what it got, and whether the bytes are alone in their buffer. */
const echo =
  (limits: BodyLimits): Handler =>
  async (req, res) => {
    const bytes = await readBody(req, limits);
    const isAlone = bytes.buffer.byteLength === bytes.byteLength;
    sendJson(res, 200, { length: bytes.byteLength, sha256: sha256(bytes), isAlone });
  };

/** Bytes that differ everywhere, so that a wrong order shows. */
const bytesOf = (length: number): Uint8Array => {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0, x = 1; i < words.length; i++)
    words[i] = x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
  return new Uint8Array(words.buffer, 0, length);
};

const streamOf = (bytes: Uint8Array, pieces: number): ReadableStream<Uint8Array> => {
  const size = Math.ceil(bytes.byteLength / pieces);
  let from = 0;
  return new ReadableStream({
    pull: (controller) => {
      if (from >= bytes.byteLength) controller.close();
      else controller.enqueue(bytes.slice(from, (from += size)));
    },
  });
};

describe('readBody', () => {
  it.each([0, 1, 1000, 65_536, 65_537, 300_000, 1_000_000])('reads %d bytes with Content-Length', (length) =>
    withServer(post(echo(LIMITS)), async ({ url, recorder }) => {
      const body = bytesOf(length);
      const response = await fetch(`${url}/x`, { method: 'POST', body });
      const answer = (await response.json()) as { length: number; sha256: string; isAlone: boolean };
      expect(answer).toMatchObject({ length, sha256: sha256(body) });
      if (length > 65_536) expect(answer.isAlone).toBe(true);
      expect((await recorder.next()).bodyMs).toBeGreaterThan(0);
    }),
  );

  it.each([1000, 65_537, 300_001, 999_999])('reads %d bytes in chunks', (length) =>
    withServer(post(echo(LIMITS)), async ({ url }) => {
      const body = bytesOf(length);
      const init = { method: 'POST', body: streamOf(body, 7), duplex: 'half' as const };
      const answer = (await (await fetch(`${url}/x`, init)).json()) as { sha256: string; isAlone: boolean };
      expect(answer.sha256).toBe(sha256(body));
      if (length > 65_536) expect(answer.isAlone).toBe(true);
    }),
  );

  it('refuses a Content-Length over the limit at once, and closes', () =>
    withServer(post(echo({ ...LIMITS, limitBytes: 100_000 })), async ({ port, recorder }) => {
      const client = await rawClient(port, 'POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 100001\r\n\r\n');
      await client.until('PAYLOAD_TOO_LARGE');
      expect(client.text()).toMatch(/^HTTP\/1\.1 413 /);
      expect(client.text()).toMatch(/at most 100000 bytes, got Content-Length 100001 bytes/);
      expect(client.text().toLowerCase()).toContain('connection: close');
      // The answer counts as given now, not when the client has stopped sending.
      expect((await recorder.next()).status).toBe(413);
      client.socket.end(Buffer.alloc(100_001));
      await client.closed();
    }));

  it('delivers the 413 to a client that sends everything before it reads', () =>
    withServer(post(echo({ ...LIMITS, limitBytes: 1000 })), async ({ url }) => {
      for (let i = 0; i < 5; i++) {
        const response = await fetch(`${url}/x`, { method: 'POST', body: bytesOf(5_000_000) });
        expect(response.status).toBe(413);
        expect((await errorOf(response)).code).toBe('PAYLOAD_TOO_LARGE');
      }
    }));

  it('goes on reading for a client that is in the middle of sending', () =>
    withServer(post(echo({ ...LIMITS, limitBytes: 1000 })), async ({ port }) => {
      const head = 'POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 20000000\r\n\r\n';
      const client = await rawClient(port, head);
      await client.until('PAYLOAD_TOO_LARGE');
      // Fails when the server resets the connection.
      await new Promise<void>((resolve, reject) =>
        client.socket.write(Buffer.alloc(20_000_000), (error) => (error == null ? resolve() : reject(error))),
      );
      expect(await client.closed()).toMatch(/^HTTP\/1\.1 413 /);
    }));

  it('refuses a chunked body as soon as it passes the limit', () =>
    withServer(post(echo({ ...LIMITS, limitBytes: 1000 })), async ({ port }) => {
      const head = 'POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';
      const client = await rawClient(port, `${head}3e8\r\n${'a'.repeat(1000)}\r\n`);
      client.socket.write('1\r\nb\r\n');
      await client.until('PAYLOAD_TOO_LARGE');
      client.socket.end();
      expect(await client.closed()).toMatch(/^HTTP\/1\.1 413 /);
    }));

  it('keeps the connection when a short body was not wanted', () =>
    withServer(post(echo({ ...LIMITS, limitBytes: 10 })), async ({ port }) => {
      const request = (n: number): string =>
        `POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: ${n}\r\n\r\n${'a'.repeat(n)}`;
      const client = await rawClient(port, request(1000));
      await client.until('PAYLOAD_TOO_LARGE');
      client.socket.write(request(10));
      await client.until('"length":10');
    }));

  it('gives up on a body that takes too long, and closes', () =>
    withServer(post(echo({ ...LIMITS, timeoutMs: 30 })), async ({ port }) => {
      const client = await rawClient(port, 'POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc');
      const answer = await client.closed();
      expect(answer).toMatch(/^HTTP\/1\.1 408 /);
      expect(answer).toContain('"BODY_TIMEOUT"');
      expect(answer).toContain('within 30 ms, got 3 of 10 bytes');
    }));

  it('is CLIENT_GONE at once when the client has left before', async () => {
    const settled = gate();
    let code: unknown;
    const handler: Handler = async (req, _res, exchange) => {
      await new Promise<void>((resolve) => exchange.onGone(resolve));
      code = await readBody(req, { ...LIMITS, timeoutMs: 1_000 }).catch(
        (error: unknown) => (error as { code?: unknown }).code,
      );
      settled.open();
    };
    await withServer(post(handler), async ({ port }) => {
      const { socket } = await rawClient(
        port,
        'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc',
      );
      socket.end();
      socket.destroy();
      await settled.opened;
    });
    expect(code).toBe('CLIENT_GONE');
  });

  it('is not begun for a client that left while it was asked who it is', async () => {
    const settled = gate();
    let isBegun = false;
    const admit = (exchange: Exchange): Promise<void> =>
      new Promise((resolve) =>
        exchange.onGone(() => {
          resolve();
          setImmediate(settled.open);
        }),
      );
    await withServer(
      post(() => void (isBegun = true)),
      async ({ port }) => {
        const { socket } = await rawClient(port, 'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n');
        socket.destroy();
        await settled.opened;
      },
      { wall: { admit } },
    );
    expect(isBegun).toBe(false);
  });

  it('is CLIENT_GONE when the client leaves in the middle', async () => {
    const arrived = gate();
    let code: unknown;
    await withServer(
      post(async (req) => {
        req.once('data', arrived.open);
        await readBody(req, LIMITS).catch((error: unknown) => {
          code = (error as { code?: unknown }).code;
          throw error;
        });
      }),
      async ({ port, recorder, lines }) => {
        const client = await rawClient(port, 'POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc');
        await arrived.opened;
        client.socket.destroy();
        expect(await recorder.next()).toMatchObject({ status: 499, code: 'CLIENT_GONE' });
        expect(lines).toEqual([]);
      },
    );
    expect(code).toBe('CLIENT_GONE');
  });

  it.each(['br', 'zstd', 'gzip, gzip'])('refuses Content-Encoding %s', (encoding) =>
    withServer(post(echo(LIMITS)), async ({ url }) => {
      const headers = { 'content-encoding': encoding };
      const response = await fetch(`${url}/x`, { method: 'POST', body: 'x', headers });
      expect(response.status).toBe(415);
      expect((await errorOf(response)).message).toContain(`'${encoding}'`);
    }),
  );

  it('grants Expect: 100-continue, but not for a body that is too large', () =>
    withServer(
      post(echo({ ...LIMITS, limitBytes: 100 })),
      async ({ port }) => {
        const head = (n: number): string =>
          `POST /x HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: ${n}\r\n\r\n`;
        const fits = await rawClient(port, head(5));
        await fits.until('100 Continue');
        fits.socket.write('12345');
        await fits.until('"length":5');
        fits.socket.destroy();

        const tooLarge = await rawClient(port, head(101));
        await tooLarge.until('PAYLOAD_TOO_LARGE');
        expect(tooLarge.text()).not.toContain('100 Continue');
        tooLarge.socket.destroy();
      },
      { bodyLimitBytes: 100 },
    ));
});

describe('requireJson', () => {
  const typed = (type: string | undefined): string => {
    try {
      requireJson({ headers: type === undefined ? {} : { 'content-type': type } });
      return 'ok';
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  it.each([
    undefined,
    'application/json',
    'Application/JSON; charset=UTF-8',
    'application/json;charset="utf-8"',
    'application/vnd.api+json',
  ])('takes %s', (type) => expect(typed(type)).toBe('ok'));

  it.each([
    '',
    'text/plain',
    'application/octet-stream',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
    'application/jsonx',
  ])('refuses %s', (type) => expect(typed(type)).toBe('UNSUPPORTED_MEDIA_TYPE'));

  it('tells users of curl -d what to add', () => {
    expect(() => requireJson({ headers: { 'content-type': 'application/x-www-form-urlencoded' } })).toThrow(
      "add -H 'content-type: application/json'",
    );
  });
});
