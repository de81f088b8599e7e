import type { Clock } from '#batcher';
import type { Config, TracingConfig } from './config/schema.js';
import { messageOf } from './errors.js';
import type { LanePool } from './executor/pool.js';
import type { HealthView } from './http/health-routes.js';
import { servedClass } from './models/joining.js';
import type { Registry } from './models/registry.js';
import { createAccessLog } from './telemetry/access-log.js';
import type { ModelMetrics } from './telemetry/batch-metrics.js';
import { LogLevelSwitch } from './telemetry/log-level.js';
import type { Logger } from './telemetry/logger.js';
import type { Metrics } from './telemetry/metrics.js';
import { createRequestObserver, type RequestObserver } from './telemetry/request-observer.js';
import { collectorHeaders } from './telemetry/tracing/collector-headers.js';
import { OtlpSink } from './telemetry/tracing/otlp-sink.js';
import { Tracing } from './telemetry/tracing/tracing.js';
import { VERSION } from './version.js';

export interface SeeingDeps {
  readonly settings: Config;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Everything by which a running gateway is watched. */
export interface Seeing {
  readonly observer: RequestObserver;
  readonly logLevel: LogLevelSwitch;
  /** undefined where no collector is configured. */
  readonly tracing: Tracing | undefined;
  /** Counts, and where traces are on also traces, the batches of one version of a model. */
  readonly forModel: (model: string) => ModelMetrics;
  /** What the gauges ask, once it is there. */
  bind(parts: { registry: Registry; health: HealthView; pool: LanePool }): void;
  /** Sends the spans that are left; no timer stays. Never rejects. */
  close(): Promise<void>;
}

export const createSeeing = ({ settings, clock, metrics, logger }: SeeingDeps): Seeing => {
  const now = (): number => clock.now();
  const sink =
    settings.tracing.otlpUrl === '' ? undefined : sinkOf(settings.tracing, { now, metrics, logger });
  const tracing = sink && new Tracing({ sampleRatio: settings.tracing.sampleRatio, sink, now });
  const logLevel = new LogLevelSwitch(logger, clock);
  return {
    observer: createRequestObserver(metrics.http, createAccessLog(logger, settings.server), now, tracing),
    logLevel,
    tracing,
    forModel: (model) => {
      const counted = metrics.forModel(model);
      if (tracing === undefined) return counted;
      return {
        ...counted,
        onEvent: (event) => {
          counted.onEvent(event);
          tracing.onBatcherEvent(model, event);
        },
      };
    },
    bind: ({ registry, health, pool }) => {
      metrics.lanes.bindPids(() => pool.pids);
      metrics.state.bind(() => ({
        ready: health.ready().ok,
        models: registry.all.map(({ info }) => ({
          name: info.name,
          version: info.card.version,
          task: info.card.task,
          joining: servedClass(info),
          loadedAtUnixSeconds: Date.parse(info.loadedAt) / 1000,
        })),
        failed: registry.failures.size,
        loading: registry.loading.size,
      }));
    },
    close: async () => {
      logLevel.close();
      await sink?.close();
    },
  };
};

const sinkOf = (
  { otlpUrl, serviceName, headersEnv }: TracingConfig,
  { now, metrics, logger }: { now: () => number; metrics: Metrics; logger: Logger },
): OtlpSink => {
  let headers = {};
  try {
    headers = collectorHeaders(process.env[headersEnv]);
  } catch (error) {
    logger.error({ reason: `${headersEnv}: ${messageOf(error)}` }, 'traces are sent without headers');
  }
  const url = new URL(otlpUrl);
  if (url.pathname === '/') url.pathname = '/v1/traces';
  return new OtlpSink(
    { url: url.href, serviceName, serviceVersion: VERSION, headers },
    {
      now,
      unixNow: () => Date.now(),
      count: (result, spans) => metrics.traces.count(result, spans),
      onFault: (reason) => logger.warn({ reason, otlpUrl }, 'traces could not be sent'),
    },
  );
};
