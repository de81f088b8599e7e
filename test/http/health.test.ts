import { describe, expect, it } from '@jest/globals';
import { createGate } from '../../src/access/gate.js';
import { NOBODY, principalOf } from '../../src/access/principal.js';
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

  it('says what is the matter with which model to those only who may read all', () => {
    const readerOf = (models: readonly string[]) =>
      principalOf({ name: 'key:n', grants: [{ actions: ['read'], models }] });
    const gate = createGate(
      (key) => Promise.resolve(readerOf(key === 'all' ? ['*'] : ['mine'])),
      NOBODY,
      NOBODY,
    );
    const state = { ok: false, reason: 'no_lane', detail: 'model theirs has no lane' };
    const routes = routesOf(state, { ...state, models: { mine: 'ready', theirs: 'no_lane' } });
    return withServer(
      routes,
      async ({ url }) => {
        const answer = async (path: string, key?: string): Promise<unknown> =>
          (await fetch(url + path, { headers: key === undefined ? {} : { 'x-api-key': key } })).json();
        for (const path of ['/health', '/healthz', '/readyz']) {
          expect(await answer(path)).toEqual({ status: 'no_lane' });
          expect(JSON.stringify(await answer(path, 'mine'))).not.toContain('theirs');
          expect(await answer(path, 'all')).toMatchObject({ status: 'no_lane', detail: state.detail });
        }
      },
      { wall: { gate } },
    );
  });
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
