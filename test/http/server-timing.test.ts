import { describe, expect, it } from '@jest/globals';
import { serverTimingOf, type Timed } from '../../src/http/server-timing.js';
import { sendJson } from '../../src/http/reply.js';
import type { Handler } from '../../src/http/router.js';
import { get, withServer } from './harness.js';

const TIMED: Timed = { encodeMs: 0.3144, queueMs: 1.2, runMs: 4.0506, batchRows: 8, elapsedMs: 5.9 };

describe('Server-Timing', () => {
  it('has milliseconds to the microsecond', () => {
    expect(serverTimingOf(TIMED)).toBe(
      'tokenize;dur=0.314, queue;dur=1.2, run;dur=4.051, total;dur=5.9, batch;desc="8"',
    );
  });

  it('says nothing of what has not run, and leaves out what is not known', () => {
    expect(serverTimingOf({ ...TIMED, runMs: undefined })).toBeUndefined();
    expect(serverTimingOf({ ...TIMED, encodeMs: undefined, batchRows: undefined })).toBe(
      'queue;dur=1.2, run;dur=4.051, total;dur=5.9',
    );
  });

  const infer: Handler = (_req, res, exchange) => {
    Object.assign(exchange, { encodeMs: 1, queueMs: 2, runMs: 3, batchRows: 4 });
    sendJson(res, 200, {});
  };
  const headerOf = async (url: string, asked?: string): Promise<string | null> => {
    const headers: Record<string, string> = asked === undefined ? {} : { 'x-server-timing': asked };
    return (await fetch(`${url}/x`, { headers })).headers.get('server-timing');
  };
  const STAGES = /^tokenize;dur=1, queue;dur=2, run;dur=3, total;dur=[0-9]+(\.[0-9]{1,3})?, batch;desc="4"$/;

  it('comes when asked for', () =>
    withServer(get(infer), async ({ url }) => {
      expect(await headerOf(url, '1')).toMatch(STAGES);
      expect(await headerOf(url)).toBeNull();
      expect(await headerOf(url, '0')).toBeNull();
    }));

  it('comes always where it is switched on', () =>
    withServer(
      get(infer),
      async ({ url }) => {
        expect(await headerOf(url)).toMatch(STAGES);
      },
      { serverTiming: true },
    ));

  it('does not come with answers that no model gave', () =>
    withServer(
      get((_req, res) => void sendJson(res, 200, {})),
      async ({ url }) => {
        expect(await headerOf(url, '1')).toBeNull();
      },
    ));
});
