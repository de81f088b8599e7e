import type { Metrics } from '../telemetry/metrics.js';
import { send } from './reply.js';
import type { Route } from './router.js';

/** `/metrics` in Prometheus' text format. */
export const metricsRoute = (metrics: Pick<Metrics, 'render'>): Route => ({
  path: '/metrics',
  needs: 'metrics',
  get: async (_req, res) => {
    const { contentType, body } = await metrics.render();
    send(res, 200, contentType, body);
  },
});
