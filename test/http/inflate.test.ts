import { describe, expect, it } from '@jest/globals';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { readBody } from '../../src/http/body.js';
import { sendJson } from '../../src/http/reply.js';
import type { Handler } from '../../src/http/router.js';
import { errorOf, post, withServer } from './harness.js';

const LIMIT_BYTES = 200_000;

const echo: Handler = async (req, res) => {
  const bytes = await readBody(req, { limitBytes: LIMIT_BYTES, timeoutMs: 10_000 });
  sendJson(res, 200, { length: bytes.byteLength, text: Buffer.from(bytes).toString('latin1').slice(0, 20) });
};

const ask = async (body: Uint8Array<ArrayBuffer>, encoding: string): Promise<Response> => {
  let response: Response | undefined;
  await withServer(post(echo), async ({ url }) => {
    response = await fetch(`${url}/x`, { method: 'POST', body, headers: { 'content-encoding': encoding } });
    await response.clone().arrayBuffer();
  });
  return response!;
};

const bytesOf = (buffer: Buffer): Uint8Array<ArrayBuffer> => Uint8Array.from(buffer);
const TEXT = 'a body of several words '.repeat(5000);

describe('a compressed body', () => {
  it.each([
    ['gzip', gzipSync(TEXT)],
    ['x-gzip', gzipSync(TEXT)],
    [' GZIP ', gzipSync(TEXT)],
    ['deflate', deflateSync(TEXT)],
  ])('%s is what it was before', async (encoding, body) => {
    const response = await ask(bytesOf(body), encoding);
    expect(await response.json()).toEqual({ length: TEXT.length, text: TEXT.slice(0, 20) });
  });

  it('of nothing is nothing', async () => {
    expect(await (await ask(new Uint8Array(0), 'gzip')).json()).toEqual({ length: 0, text: '' });
  });

  it('may be as large as the limit when it is opened, and no larger', async () => {
    const fits = await ask(bytesOf(gzipSync(Buffer.alloc(LIMIT_BYTES))), 'gzip');
    expect(await fits.json()).toMatchObject({ length: LIMIT_BYTES });
    const bomb = await ask(bytesOf(gzipSync(Buffer.alloc(100_000_000))), 'gzip');
    expect([bomb.status, (await errorOf(bomb)).message]).toEqual([
      413,
      'expected a body of at most 200000 bytes after decompression, got more',
    ]);
  });

  it.each([
    ['gzip', Buffer.from('not compressed at all')],
    ['gzip', gzipSync(TEXT).subarray(0, 100)],
    ['gzip', deflateSync(TEXT)],
    ['deflate', deflateRawSync(TEXT)],
  ])('%s that is broken is refused', async (encoding, body) => {
    const response = await ask(bytesOf(body), encoding);
    expect(response.status).toBe(400);
    expect((await errorOf(response)).message).toMatch(
      new RegExp(`^body: expected ${encoding} data, got: \\w`),
    );
  });
});
