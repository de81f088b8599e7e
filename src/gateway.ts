import type { Clock } from '#batcher';
import type { Router } from 'express';
import { gateOf } from './access/create-gate.js';
import { requireSafeBind } from './access/safe-bind.js';
import { availableCores, laneLayout, type LaneLayout } from './executor/cpu-quota.js';
import { Codec } from './codec/codec.js';
import { CodecThread } from './codec/codec-thread.js';
import { resolveConfig } from './config/resolve.js';
import type { Config } from './config/schema.js';
import { Arbiter } from './executor/arbiter.js';
import { openLinkOf } from './executor/open-link.js';
import { LanePool } from './executor/pool.js';
import { createAdminGuard } from './http/admin-guard.js';
import { docsRoutes } from './http/docs-routes.js';
import { healthRoutes } from './http/health-routes.js';
import { metricsRoute } from './http/metrics-route.js';
import { createOwnHost } from './http/own-host.js';
import { createHttpRouter } from './http/router.js';
import { createHttpServer, type HttpServer } from './http/server.js';
import { Lifecycle } from './lifecycle.js';
import { CostKeeper } from './models/cost-keeper.js';
import { costOf } from './models/cost-report.js';
import { ModelLoader } from './models/loader.js';
import { verify, type Verification } from './models/invariance/verify.js';
import { joiningText } from './models/joining.js';
import type { ModelInfo } from './models/model-info.js';
import { Registry } from './models/registry.js';
import { Pipeline } from './pipeline.js';
import type { GrpcServer } from './protocol/grpc/server.js';
import { createResponder } from './protocol/respond.js';
import { hfRoutes } from './protocol/huggingface/routes.js';
import { kserveRoutes } from './protocol/kserve/routes.js';
import { oipError } from './protocol/oip/errors.js';
import { oipRoutes } from './protocol/oip/routes.js';
import { openAiRoutes } from './protocol/openai/routes.js';
import { openApiRoute } from './protocol/openapi/routes.js';
import { debugRoute } from './protocol/own/debug-route.js';
import { ownRoutes } from './protocol/own/routes.js';
import { teiRoutes } from './protocol/tei/routes.js';
import { closeTogether } from './servers.js';
import { createAccessLog } from './telemetry/access-log.js';
import { createLogger, type Logger } from './telemetry/logger.js';
import { createMetrics, type Metrics } from './telemetry/metrics.js';
import { createRequestObserver } from './telemetry/request-observer.js';
import { createSystemClock } from './telemetry/system-clock.js';

export interface Gateway {
  /** Mount it in an app of your own, or call `listen`. Requests before `ready()` has resolved get 503 or 404. */
  readonly router: Router;
  /** Starts lanes and loads models, once; resolves when all are warm, failed ones included in the report. */
  ready(): Promise<StartReport>;
  /**
   * `ready`, then listens on `server.host` and `server.port`.
   * @throws Error with Node's `code`, as EADDRINUSE; ConfigError where that would let strangers in
   */
  listen(): Promise<Listening>;
  /**
   * Readiness 503 -> drainDelayMs -> stop accepting -> finish what is in flight and queued -> close the lanes.
   * Resolves 'deadline' when `server.drainTimeoutMs` passed first: then what was left has been answered 503, and a
   * thread lane may still be in its run. Leaves no timer, thread or handle otherwise. Idempotent.
   */
  close(): Promise<'drained' | 'deadline'>;
  /**
   * Tries thoroughly whether rows of a loaded model change each other; every run asks for a lane of its own.
   * @param budgetMs lane time
   * @throws MODEL_NOT_FOUND, WORKER_LOST
   */
  verify(model: string, budgetMs: number): Promise<Verification>;
  /** True while a lane is inside a run: then process.exit would abort; force an exit by SIGKILL to oneself. */
  isRunning(): boolean;
  /** Process ids of the lanes, where `lanes.isolation` is `process`. */
  lanePids(): readonly number[];
}

export interface Listening {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Where `grpc.enabled` is true. */
  readonly grpc?: { readonly host: string; readonly port: number };
}

export interface StartReport {
  readonly lanes: LaneLayout & { readonly isolation: 'thread' | 'process' };
  readonly models: readonly ModelInfo[];
  readonly failed: readonly { readonly name: string; readonly code: string; readonly message: string }[];
}

/** What a host may put in place of our own. */
export interface GatewayDeps {
  /** A pino instance fits. Default: our own, by `config.log`. */
  readonly logger?: Logger;
  readonly clock?: Clock;
}

/**
 * Builds a gateway; nothing runs before `ready()` or `listen()`. No globals: several gateways live in one process.
 *
 * @param config what `loadConfig` returns, or a plain object with the keys of config.yaml that differ from the defaults
 *   (paths relative to the current folder)
 * @throws ConfigError naming every key that is wrong
 */
export const createGateway = (config: Config | object = {}, deps: GatewayDeps = {}): Gateway => {
  const settings = isResolved(config) ? config : resolveConfig(config, process.cwd());
  const { server: serverConfig, lanes: laneConfig } = settings;
  const logger = deps.logger ?? createLogger(settings.log);
  const clock = deps.clock ?? createSystemClock();
  const layout = laneLayout(laneConfig.count, laneConfig.intraOpThreads, availableCores());
  const metrics = createMetrics();
  const now = (): number => clock.now();
  const unixNow = (): number => Date.now();
  const gate = gateOf(settings.access, { baseDir: settings.baseDir, env: process.env, now, unixNow, logger });

  const arbiter = new Arbiter();
  const pool = new LanePool({
    lanes: layout.count,
    open: openLinkOf(laneConfig.isolation),
    arbiter,
    openTimeoutMs: settings.models.startupTimeoutMs,
    onRestart: (reason) => {
      metrics.lanes.restarted();
      logger.error({ reason }, 'a lane was lost and is replaced');
    },
    onFault: (message) => logger.error({ reason: message }, 'lane fault'),
  });
  const codec = new Codec(new CodecThread(), serverConfig);
  const costs = new CostKeeper({
    config: settings,
    layout,
    pool,
    clock,
    onKnown: (model, from) =>
      logger.info({ model: model.info.name, from, cost: costOf(model) }, 'cost of runs known'),
    onFault: (reason) => logger.warn({ reason }, 'calibration'),
  });
  const registry = createRegistry({ settings, layout, pool, arbiter, codec, costs, clock, metrics, logger });
  const lifecycle = new Lifecycle({ settings, layout, pool, codec, costs, registry, metrics, logger });
  const pipeline = new Pipeline(codec, clock);

  const observer = createRequestObserver(metrics.http, createAccessLog(logger, serverConfig), now);
  const guardAdmin = createAdminGuard({
    allowedOrigins: serverConfig.allowedOrigins,
    isOwnHost: createOwnHost(serverConfig.host, serverConfig.allowedHosts),
  });
  const responder = createResponder(pipeline, codec);
  const limits = serverConfig;
  const shared = { registry, codec, responder, limits };
  const { router, listener } = createHttpRouter(
    [
      ...healthRoutes(lifecycle.health),
      metricsRoute(metrics),
      openApiRoute(),
      ...docsRoutes(),
      debugRoute(registry, pool, guardAdmin),
      // Before our own: `M:predict` is no model's name.
      ...kserveRoutes(shared),
      ...ownRoutes({ registry, codec, responder, limits, guardAdmin }),
      ...teiRoutes(shared),
      ...openAiRoutes(shared),
      ...hfRoutes(shared),
      ...oipRoutes({
        ...{ registry, codec, responder, limits, guardAdmin },
        health: lifecycle.health,
        modelRoot: settings.models.root,
      }),
    ],
    {
      ...{ observer, now, logger, gate, serverTiming: serverConfig.serverTiming },
      unmatched: [{ prefix: '/v2/', error: oipError }],
    },
  );
  let server: HttpServer | undefined;
  let grpcServer: GrpcServer | undefined;

  const listenGrpc = async (): Promise<Pick<Listening, 'grpc'>> => {
    const { enabled, host, port, maxMessageBytes } = settings.grpc;
    if (!enabled) return {};
    // Only then: its libraries take a tenth of a second to load.
    const { createGrpcServer } = await import('./protocol/grpc/server.js');
    grpcServer ??= createGrpcServer({
      ...{ registry, codec, responder, observer, now, unixNow, logger, gate, maxMessageBytes },
      health: lifecycle.health,
      modelRoot: settings.models.root,
      maxRows: limits.maxRequestRows,
    });
    const grpc = await grpcServer.listen(host, port);
    logger.info(grpc, 'listening for gRPC');
    return { grpc };
  };

  return {
    router,
    ready: () => lifecycle.ready(),
    listen: async () => {
      requireSafeBind(settings);
      await lifecycle.ready();
      server ??= createHttpServer(listener, serverConfig, { observer, logger });
      const { host, port } = await server.listen(serverConfig.host, serverConfig.port);
      const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
      logger.info({ url }, 'listening');
      return { host, port, url, ...(await listenGrpc()) };
    },
    verify: async (name, budgetMs) => verify(registry.get(name), { codec, pool, budgetMs }),
    close: () => lifecycle.close(server && closeTogether(grpcServer ? [server, grpcServer] : [server])),
    isRunning: () => pool.states.includes('running'),
    lanePids: () => pool.pids,
  };
};

const isResolved = (config: Config | object): config is Config => 'baseDir' in config;

const createRegistry = (parts: {
  settings: Config;
  layout: LaneLayout;
  pool: LanePool;
  arbiter: Arbiter;
  codec: Codec;
  costs: CostKeeper;
  clock: Clock;
  metrics: Metrics;
  logger: Logger;
}): Registry => {
  const { settings, layout, metrics, logger } = parts;
  const loader = new ModelLoader({
    ...parts,
    config: settings,
    intraOpThreads: layout.intraOpThreads,
    observe: (name) => metrics.forModel(name),
    onLoaded: ({ info }) => {
      const { name, signature, batch } = info;
      const inputs = signature.inputs.map((spec) => `${spec.name} ${spec.dtype}[${spec.shape.join(',')}]`);
      logger.info({ model: name, inputs, batch }, 'model loaded');
      if (batch.reason !== undefined) logger.warn({ model: name, reason: batch.reason }, joiningText(info));
    },
    onRetired: ({ info }) => logger.info({ model: info.name, loadedAt: info.loadedAt }, 'model retired'),
  });
  metrics.lanes.bind(() => countStates(parts.pool));
  return new Registry(loader, settings.models.default);
};

const countStates = (pool: LanePool): Record<string, number> => {
  const counts = { idle: 0, running: 0, starting: 0 };
  for (const state of pool.states) counts[state]++;
  return counts;
};
