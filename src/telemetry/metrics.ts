import { Registry } from 'prom-client';
import { createAccessMetrics, type AccessMetrics } from './access-metrics.js';
import { createBatchMetrics, type BatchMetrics } from './batch-metrics.js';
import { createConnectionMetrics, type ConnectionMetrics } from './connection-metrics.js';
import { createCacheMetrics, type CacheMetrics } from './cache-metrics.js';
import { createHttpMetrics, type HttpMetrics } from './http-metrics.js';
import { createLaneMetrics, type LaneMetrics } from './lane-metrics.js';
import { openMetricsOf } from './open-metrics.js';
import { createLimitMetrics, type LimitMetrics } from './limit-metrics.js';
import { createQueueBytesMetric } from './queue-bytes-metric.js';
import { createProcessMetrics, type LoopMonitor } from './process-metrics.js';
import { createStateMetrics, type StateMetrics } from './state-metrics.js';
import { createTraceMetrics, type TraceMetrics } from './trace-metrics.js';
import { createVersionMetrics, type VersionMetrics } from './version-metrics.js';

export type MetricsFormat = 'prometheus' | 'openmetrics';

export interface Metrics extends BatchMetrics {
  readonly http: HttpMetrics;
  readonly lanes: LaneMetrics;
  readonly state: StateMetrics;
  readonly traces: TraceMetrics;
  readonly connections: ConnectionMetrics;
  readonly access: AccessMetrics;
  readonly limits: LimitMetrics;
  readonly cache: CacheMetrics;
  readonly versions: VersionMetrics;
  /** `fn` is asked at every scrape for the bytes that all models' requests hold. */
  readonly bindQueueBytes: (fn: () => number) => void;
  /** Everything, in Prometheus' text format or in OpenMetrics, which has exemplars beside. Default: the first. */
  readonly render: (
    format?: MetricsFormat,
  ) => Promise<{ readonly contentType: string; readonly body: string }>;
  /** Stops the event loop's monitor; nothing is left running. */
  readonly close: () => void;
}

/** One registry for each gateway: two of them in a process do not mix their counts. docs/metrics.md lists them all. */
export const createMetrics = (loopMonitor?: LoopMonitor): Metrics => {
  const registry = new Registry();
  const http = createHttpMetrics(registry);
  const batch = createBatchMetrics(registry);
  const lanes = createLaneMetrics(registry);
  const state = createStateMetrics(registry);
  const traces = createTraceMetrics(registry);
  const connections = createConnectionMetrics(registry);
  const access = createAccessMetrics(registry);
  const limits = createLimitMetrics(registry);
  const cache = createCacheMetrics(registry);
  const versions = createVersionMetrics(registry);
  const processMetrics = createProcessMetrics(registry, loopMonitor);
  return {
    http,
    forModel: (model) => batch.forModel(model),
    lanes,
    state,
    traces,
    connections,
    access,
    limits,
    cache,
    versions,
    bindQueueBytes: createQueueBytesMetric(registry),
    render: async (format) => {
      const body = await registry.metrics();
      if (format !== 'openmetrics') return { contentType: registry.contentType, body };
      return {
        contentType: Registry.OPENMETRICS_CONTENT_TYPE,
        body: openMetricsOf(body, http.exemplars.byLine()),
      };
    },
    close: () => {
      processMetrics.stop();
      registry.clear();
    },
  };
};
