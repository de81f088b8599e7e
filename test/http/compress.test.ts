import { describe, expect, it } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { gunzipSync, inflateSync } from 'node:zlib';
import { acceptedCoding, compressFor } from '../../src/http/compress.js';

describe('what Accept-Encoding allows', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['identity', undefined],
    ['br, zstd', undefined],
    ['*', undefined],
    ['gzip', 'gzip'],
    ['deflate, GZIP', 'gzip'],
    ['deflate', 'deflate'],
    ['gzip;q=0, deflate;q=0.5', 'deflate'],
    ['gzip; q=0.000', undefined],
    ['gzip;q=0.01', 'gzip'],
  ])('%p: %p', (header, coding) => expect(acceptedCoding(header)).toBe(coding));
});

describe('compressFor', () => {
  const asking = (coding?: string): IncomingMessage =>
    // Only the headers are looked at.
    ({ headers: coding === undefined ? {} : { 'accept-encoding': coding } }) as unknown as IncomingMessage;
  const LONG = 'words '.repeat(10_000);

  it('compresses a long answer as asked', async () => {
    const zipped = await compressFor(asking('gzip'), LONG);
    expect(zipped.headers).toEqual({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
    expect(gunzipSync(zipped.body).toString()).toBe(LONG);
    const deflated = await compressFor(asking('deflate'), Buffer.from(LONG));
    expect(inflateSync(deflated.body).toString()).toBe(LONG);
    expect(deflated.headers['content-encoding']).toBe('deflate');
  });

  it('leaves a short one, and one for somebody who did not ask, as it is', async () => {
    expect(await compressFor(asking('gzip'), 'short')).toEqual({ body: 'short', headers: {} });
    expect(await compressFor(asking(), LONG)).toEqual({ body: LONG, headers: {} });
  });
});
