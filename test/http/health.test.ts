import { describe, expect, it } from '@jest/globals';
import { healthRoutes, type HealthState } from '../../src/http/health-routes.js';
import { metricsRoute } from '../../src/http/metrics-route.js';
import { withServer } from './harness.js';

const routesOf = (live: HealthState, ready: HealthState): ReturnType<typeof healthRoutes> =>
  healthRoutes({ live: () => live, ready: () => ready });

const OK: HealthState = { ok: true, models: { spam: 'ready' } };

describe('health', () => {
  it('is 200 everywhere when all is well', () =>
    withServer(routesOf({ ok: true }, OK), async ({ url }) => {
      const answer = async (path: string): Promise<unknown> => {
        const response = await fetch(`${url}${path}`);
        return [response.status, response.headers.get('cache-control'), await response.json()];
      };
      const ready = { status: 'ok', models: { spam: 'ready' } };
      expect(await answer('/health')).toEqual([200, 'no-store', ready]);
      expect(await answer('/healthz')).toEqual([200, 'no-store', { status: 'ok' }]);
      expect(await answer('/readyz')).toEqual([200, 'no-store', ready]);
    }));

  it('falls to 503 for readiness alone while draining', () =>
    withServer(routesOf({ ok: true }, { ok: false, reason: 'draining' }), async ({ url }) => {
      const statuses = async (method: string): Promise<number[]> =>
        Promise.all(
          ['/health', '/healthz', '/readyz'].map(
            async (path) => (await fetch(url + path, { method })).status,
          ),
        );
      expect(await statuses('GET')).toEqual([200, 200, 503]);
      expect(await statuses('HEAD')).toEqual([200, 200, 503]);
      expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'draining' });
      expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'draining' });
    }));

  it('is 503 for liveness when the process should be restarted', () =>
    withServer(routesOf({ ok: false, reason: 'lane_stuck' }, OK), async ({ url }) => {
      const response = await fetch(`${url}/healthz`);
      expect([response.status, await response.json()]).toEqual([503, { status: 'lane_stuck' }]);
    }));
});

describe('metrics route', () => {
  it('sends what the registry renders, with its type', () =>
    withServer(
      [metricsRoute({ render: () => Promise.resolve({ contentType: 'text/plain; v=1', body: 'a 1\n' }) })],
      async ({ url }) => {
        const response = await fetch(`${url}/metrics`);
        expect(response.headers.get('content-type')).toBe('text/plain; v=1');
        expect(await response.text()).toBe('a 1\n');
      },
    ));
});
