import type { Clock } from '#batcher';
import type { Router } from 'express';
import { allRoutes } from './all-routes.js';
import { gateOf } from './access/create-gate.js';
import { requireSafeBind } from './access/safe-bind.js';
import { availableCores, laneLayout, type LaneLayout } from './executor/cpu-quota.js';
import { ModelCaches } from './cache/model-caches.js';
import { Codec } from './codec/codec.js';
import { CodecThread } from './codec/codec-thread.js';
import { createPool } from './create-pool.js';
import { resolveConfig } from './config/resolve.js';
import type { Config } from './config/schema.js';
import { Arbiter } from './executor/arbiter.js';
import type { OpenLink } from './executor/link.js';
import { createHttpRouter } from './http/router.js';
import { createHttpServer, type HttpServer } from './http/server.js';
import { TurnMeter } from './http/turn-meter.js';
import { Lifecycle } from './lifecycle.js';
import { CostKeeper } from './models/cost-keeper.js';
import { costOf } from './models/cost-report.js';
import { verify, type Verification } from './models/invariance/verify.js';
import type { ModelInfo } from './models/model-info.js';
import { createOuterWall } from './outer-wall.js';
import { Pipeline } from './pipeline.js';
import { QueueBytes } from './queue-bytes.js';
import type { GrpcServer } from './protocol/grpc/server.js';
import { createResponder } from './protocol/respond.js';
import { oipError } from './protocol/oip/errors.js';
import { createSeeing } from './seeing.js';
import { closeTogether } from './servers.js';
import type { LogLevelSwitch } from './telemetry/log-level.js';
import { createLogger, type Logger } from './telemetry/logger.js';
import { createMetrics } from './telemetry/metrics.js';
import { createRegistry } from './create-registry.js';
import type { ReloadReport } from './reload.js';
import { createVersions } from './versions.js';
import { createSystemClock } from './telemetry/system-clock.js';

export interface Gateway {
  /** Mount it in an app of your own, or call `listen`. Requests before `ready()` has resolved get 503 or 404. */
  readonly router: Router;
  /** Starts lanes and loads models, once; resolves when all are warm, failed ones included in the report. */
  ready(): Promise<StartReport>;
  /**
   * `ready`, then listens on `server.host` and `server.port`.
   * @throws Error with Node's `code`, as EADDRINUSE; ConfigError where that would let strangers in; DRAINING when `close`
   *   was called meanwhile, and then nothing listens
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
  /** Takes the settings that may change while it serves, and looks at the model root once; see docs/operations.md. */
  reload(load: () => Config): Promise<ReloadReport>;
  /** Gives up lanes and trials, killing those that are processes: for who ends this process next. */
  abandon(): void;
  /** True while a lane is inside a run: then process.exit would abort; force an exit by SIGKILL to oneself. */
  isRunning(): boolean;
  /** Process ids of the lanes, where `lanes.isolation` is `process`. */
  lanePids(): readonly number[];
  /** What is logged, while it runs. */
  readonly logLevel: Pick<LogLevelSwitch, 'state' | 'set' | 'toggleDebug'>;
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
  /** How lanes are opened: for tests. Default: by `lanes.isolation`. */
  readonly openLane?: OpenLink;
  /** What `lanes.exitWhenStuck` does. Default: SIGKILL to the own process, since nothing else ends threads that hang. */
  readonly die?: () => void;
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
  const seeing = createSeeing({ settings, clock, metrics, logger });
  const now = (): number => clock.now();
  const unixNow = (): number => Date.now();
  const gate = gateOf(settings.access, {
    ...{ baseDir: settings.baseDir, env: process.env, now, unixNow, logger },
    onRefused: (reason) => metrics.access.refused(reason),
  });

  const arbiter = new Arbiter();
  const { openLane, die } = deps;
  const pool = createPool({ settings, lanes: layout.count, arbiter, metrics, logger, openLane, die });
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
  const caches = new ModelCaches({ config: settings, clock, metrics: metrics.cache, logger });
  const stores = { codec, costs, caches };
  const registry = createRegistry({ settings, layout, pool, arbiter, ...stores, clock, seeing, logger });
  const wall = createOuterWall({ settings, metrics, logger, now });
  const queueBytes = new QueueBytes(serverConfig.maxQueueBytes);
  metrics.bindQueueBytes(() => queueBytes.taken);
  const pipeline = new Pipeline(codec, clock, { bytes: queueBytes, charge: wall.charge });
  const { observer, tracing, logLevel } = seeing;
  const versions = createVersions({
    ...{ settings, registry, codec, arbiter, clock, metrics, logger },
    logLevel: deps.logger === undefined ? logLevel : undefined,
  });
  const { traffic, watcher } = versions;
  const lifecycle = new Lifecycle({
    ...{ settings, layout, pool, ...stores },
    ...{ registry, watcher, metrics, seeing, logger },
  });
  seeing.bind({ registry, health: lifecycle.health, pool });

  const responder = createResponder(pipeline, codec, traffic);
  const turns = new TurnMeter();
  const { unreadMs } = turns;
  const { health } = lifecycle;
  const { router, listener } = createHttpRouter(
    allRoutes({ settings, registry, codec, responder, pool, health, metrics, logLevel }),
    {
      ...{ observer, now, unreadMs, logger, gate, tracing, serverTiming: serverConfig.serverTiming },
      ...wall.exchange,
      admit: wall.admit,
      unmatched: [{ prefix: '/v2/', error: oipError }],
    },
  );
  let server: HttpServer | undefined;
  let grpcServer: GrpcServer | undefined;

  const listenGrpc = async (): Promise<Pick<Listening, 'grpc'>> => {
    const { enabled, host, port, ...grpcConfig } = settings.grpc;
    if (!enabled) return {};
    const { bodyTimeoutMs, sendTimeoutMs, headersTimeoutMs, drainTimeoutMs, maxConnections } = serverConfig;
    // Only then: its libraries take a tenth of a second to load.
    const { createGrpcServer } = await import('./protocol/grpc/server.js');
    grpcServer ??= createGrpcServer({
      ...{ registry, codec, responder, observer, now, unixNow, unreadMs, logger, gate, tracing },
      ...grpcConfig,
      ...{ addressOf: wall.addressOf, admit: wall.admit, connections: metrics.connections },
      ...{ bodyTimeoutMs, sendTimeoutMs, headersTimeoutMs, drainTimeoutMs, maxConnections },
      ...{ health, modelRoot: settings.models.root, maxRows: serverConfig.maxRequestRows },
    });
    const grpc = await grpcServer.listen(host, port);
    logger.info(grpc, 'listening for gRPC');
    return { grpc };
  };

  const bind = async (): Promise<Listening> => {
    server ??= createHttpServer(listener, serverConfig, {
      ...{ observer, logger, turns, metrics: metrics.connections },
      ...wall.exchange,
    });
    const { host, port } = await server.listen(serverConfig.host, serverConfig.port);
    const url = `${serverConfig.tls === false ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
    logger.info({ url }, 'listening');
    return { host, port, url, ...(await listenGrpc()) };
  };
  let bound: Promise<Listening> | undefined;
  const servers = closeTogether(async () => {
    await bound?.catch(() => undefined);
    return [server, grpcServer].filter((one) => one !== undefined);
  });

  return {
    router,
    ready: () => lifecycle.ready(),
    listen: async () => {
      requireSafeBind(settings);
      lifecycle.requireOpen();
      await lifecycle.ready();
      lifecycle.requireOpen();
      bound = bind();
      const listening = await bound;
      lifecycle.requireOpen();
      return listening;
    },
    verify: async (name, budgetMs) => {
      const model = registry.get(name);
      return model.during(() => verify(model, { codec, pool, budgetMs }));
    },
    close: () => lifecycle.close(bound && servers).finally(() => wall.close()),
    reload: (load) => versions.reload(load),
    abandon: () => {
      registry.loader.close();
      pool.discard();
    },
    isRunning: () => pool.isRunning,
    lanePids: () => pool.pids,
    logLevel,
  };
};

const isResolved = (config: Config | object): config is Config => 'baseDir' in config;
