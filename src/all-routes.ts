import { createAdminGuard } from './http/admin-guard.js';
import { docsRoutes } from './http/docs-routes.js';
import { healthRoutes, type HealthView } from './http/health-routes.js';
import { metricsRoute } from './http/metrics-route.js';
import { createOwnHost } from './http/own-host.js';
import type { Route } from './http/router.js';
import type { Codec } from './codec/codec.js';
import type { Config } from './config/schema.js';
import type { LanePool } from './executor/pool.js';
import type { Registry } from './models/registry.js';
import { hfRoutes } from './protocol/huggingface/routes.js';
import { kserveRoutes } from './protocol/kserve/routes.js';
import { oipRoutes } from './protocol/oip/routes.js';
import { openAiRoutes } from './protocol/openai/routes.js';
import { openApiRoute } from './protocol/openapi/routes.js';
import { debugRoute } from './protocol/own/debug-route.js';
import { logLevelRoute } from './protocol/own/log-level-route.js';
import { ownRoutes } from './protocol/own/routes.js';
import { versionRoutes } from './protocol/own/version-routes.js';
import type { Responder } from './protocol/respond.js';
import { teiRoutes } from './protocol/tei/routes.js';
import type { LogLevelSwitch } from './telemetry/log-level.js';
import type { Metrics } from './telemetry/metrics.js';

export interface AllRoutesDeps {
  readonly settings: Config;
  readonly registry: Registry;
  readonly codec: Codec;
  readonly responder: Responder;
  readonly pool: LanePool;
  readonly health: HealthView;
  readonly metrics: Metrics;
  readonly logLevel: LogLevelSwitch;
}

/** Everything that HTTP answers, in the order in which paths are looked at. */
export const allRoutes = (deps: AllRoutesDeps): readonly Route[] => {
  const { settings, registry, codec, responder, pool, health, metrics, logLevel } = deps;
  const limits = settings.server;
  const guardAdmin = createAdminGuard({
    allowedOrigins: limits.allowedOrigins,
    isOwnHost: createOwnHost(limits.host, limits.allowedHosts),
  });
  const shared = { registry, codec, responder, limits };
  return [
    ...healthRoutes(health),
    metricsRoute(metrics),
    openApiRoute(),
    ...docsRoutes(),
    debugRoute(registry, pool, guardAdmin),
    logLevelRoute(logLevel, guardAdmin, limits),
    // Before our own: `M:predict` is no model's name.
    ...kserveRoutes(shared),
    ...ownRoutes({ ...shared, guardAdmin }),
    ...versionRoutes({ registry, limits, guardAdmin }),
    ...teiRoutes(shared),
    ...openAiRoutes(shared),
    ...hfRoutes(shared),
    ...oipRoutes({ ...shared, guardAdmin, health, modelRoot: settings.models.root }),
  ];
};
