import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { get, withServer } from './harness.js';

const REQUEST = 'GET /x HTTP/1.1\r\nhost: localhost\r\n\r\n';
/** More than the ten listeners of which Node warns. */
const REQUESTS = 12;

describe('requests that wait behind another of their connection', () => {
  it.each(['ends', 'is cut'])('are over when it %s', async (how) => {
    const lost: string[] = [];
    // Nobody is ever answered.
    const routes = get((_req, _res, exchange) => void exchange.onGone(() => lost.push(exchange.requestId)));
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    await withServer(routes, async ({ port, recorder }) => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(REQUEST.repeat(REQUESTS));
      while (recorder.inFlight < REQUESTS) await new Promise((resolve) => setImmediate(resolve));
      if (how === 'ends') socket.destroy();
      else socket.resetAndDestroy();
      for (let i = 0; i < REQUESTS; i++) expect((await recorder.next()).status).toBe(499);
      expect([recorder.inFlight, new Set(lost).size]).toEqual([0, REQUESTS]);
    });
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });
});
