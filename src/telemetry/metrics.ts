import { Registry } from 'prom-client';
import { createBatchMetrics, type BatchMetrics } from './batch-metrics.js';
import { createHttpMetrics, type HttpMetrics } from './http-metrics.js';
import { createLaneMetrics, type LaneMetrics } from './lane-metrics.js';
import { createProcessMetrics, type LoopMonitor } from './process-metrics.js';
import { createVersionMetrics, type VersionMetrics } from './version-metrics.js';

export interface Metrics extends BatchMetrics {
  readonly http: HttpMetrics;
  readonly lanes: LaneMetrics;
  readonly versions: VersionMetrics;
  /** Everything in Prometheus' text format. */
  readonly render: () => Promise<{ readonly contentType: string; readonly body: string }>;
  /** Stops the event loop's monitor; nothing is left running. */
  readonly close: () => void;
}

/** One registry for each gateway: two of them in a process do not mix their counts. docs/metrics.md lists them all. */
export const createMetrics = (loopMonitor?: LoopMonitor): Metrics => {
  const registry = new Registry();
  const http = createHttpMetrics(registry);
  const batch = createBatchMetrics(registry);
  const lanes = createLaneMetrics(registry);
  const versions = createVersionMetrics(registry);
  const processMetrics = createProcessMetrics(registry, loopMonitor);
  return {
    http,
    forModel: (model) => batch.forModel(model),
    lanes,
    versions,
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
    close: () => {
      processMetrics.stop();
      registry.clear();
    },
  };
};
