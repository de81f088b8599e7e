import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { send, sendJson } from '../../src/http/reply.js';
import { gate, get, post, rawClient, withServer } from './harness.js';

describe('sendJson', () => {
  it('sends the length in bytes, the type, the caller’s headers, and no etag', () =>
    withServer(
      get((_req, res) => void sendJson(res, 201, { name: 'Zoë – 漢字' }, { 'x-extra': 'yes' })),
      async ({ url }) => {
        const response = await fetch(`${url}/x`);
        const text = await response.text();
        expect(response.status).toBe(201);
        expect(text).toBe('{"name":"Zoë – 漢字"}');
        expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(text)));
        expect(response.headers.get('content-type')).toBe('application/json');
        expect(response.headers.get('x-extra')).toBe('yes');
        expect(response.headers.get('etag')).toBeNull();
        expect(response.headers.get('transfer-encoding')).toBeNull();
      },
    ));

  it('takes JSON that is text already, and bytes of any type', () =>
    withServer(
      [
        { path: '/text', get: (_req, res) => void sendJson(res, 200, '{"n":9007199254740993}') },
        {
          path: '/bytes',
          get: (_req, res) => void send(res, 200, 'application/octet-stream', Uint8Array.of(0, 255)),
        },
      ],
      async ({ url }) => {
        expect(await (await fetch(`${url}/text`)).text()).toBe('{"n":9007199254740993}');
        const bytes = await (await fetch(`${url}/bytes`)).arrayBuffer();
        expect([...new Uint8Array(bytes)]).toEqual([0, 255]);
      },
    ));

  it('sends once: the second answer is dropped', async () => {
    const sent: boolean[] = [];
    await withServer(
      get((_req, res) => void sent.push(sendJson(res, 200, { n: 1 }), sendJson(res, 500, { n: 2 }))),
      async ({ url }) => {
        const response = await fetch(`${url}/x`);
        expect([response.status, await response.json()]).toEqual([200, { n: 1 }]);
      },
    );
    expect(sent).toEqual([true, false]);
  });

  it('answers HEAD with the headers of GET and no body', () =>
    withServer(
      get((_req, res) => void sendJson(res, 200, { a: 1 })),
      async ({ port }) => {
        const client = await rawClient(port, 'HEAD /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
        const answer = (await client.closed()).toLowerCase();
        expect(answer).toContain('content-length: 7');
        expect(answer.endsWith('\r\n\r\n')).toBe(true);
      },
    ));

  it('does nothing when the client is gone', async () => {
    const arrived = gate();
    let sent: boolean | undefined;
    await withServer(
      post(async (_req, res) => {
        arrived.open();
        await once(res, 'close');
        sent = sendJson(res, 200, {});
      }),
      async ({ port, recorder, lines }) => {
        const client = await rawClient(port, 'POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n');
        await arrived.opened;
        client.socket.destroy();
        expect((await recorder.next()).status).toBe(499);
        expect(lines).toEqual([]);
      },
    );
    expect(sent).toBe(false);
  });
});
