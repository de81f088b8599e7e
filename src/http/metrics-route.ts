import type { Metrics } from '../telemetry/metrics.js';
import { wantsOpenMetrics } from '../telemetry/open-metrics.js';
import { send } from './reply.js';
import type { Route } from './router.js';

/** `/metrics` in Prometheus' text format, or in OpenMetrics for who accepts that. */
export const metricsRoute = (metrics: Pick<Metrics, 'render'>): Route => ({
  path: '/metrics',
  needs: 'metrics',
  get: async (req, res) => {
    const format = wantsOpenMetrics(req.headers.accept) ? 'openmetrics' : 'prometheus';
    const { contentType, body } = await metrics.render(format);
    send(res, 200, contentType, body, { vary: 'Accept' });
  },
});
