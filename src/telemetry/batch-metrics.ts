import type { BatcherEvent } from '#batcher';
import type { Registry } from 'prom-client';
import { createBatchSeries, createQueueGauges, type QueueView } from './batch-series.js';
import { ModelSeries } from './model-series.js';

/** The metrics of one loaded version of a model. */
export interface ModelMetrics {
  /** For the batcher's `onEvent`; bound. */
  readonly onEvent: (event: BatcherEvent) => void;
  /** A run lost its lane. */
  laneLost(how: 'died' | 'hung'): void;
  /** A request's rows that the response cache answered, and those that it did not. */
  cached(hitRows: number, missRows: number): void;
  /** `fn` is asked at every scrape. */
  bindQueue(fn: () => QueueView): void;
  /** Events after this are ignored. The model's series go when the last version of its name is removed. */
  remove(): void;
}

export interface BatchMetrics {
  /** While versions are swapped, two of one name may live: they share their series, and their queues are added up. */
  forModel(model: string): ModelMetrics;
}

interface Version {
  queue: (() => QueueView) | undefined;
}

interface Model {
  readonly series: ModelSeries;
  readonly versions: Set<Version>;
}

export const createBatchMetrics = (registry: Registry): BatchMetrics => {
  const batchSeries = createBatchSeries(registry);
  const models = new Map<string, Model>();
  createQueueGauges(registry, () => [...models].map(([name, { versions }]) => [name, queueOf(versions)]));

  const modelNamed = (name: string): Model => {
    let model = models.get(name);
    if (model === undefined) {
      model = { series: new ModelSeries(batchSeries, name), versions: new Set() };
      models.set(name, model);
    }
    return model;
  };

  return {
    forModel: (name) => {
      const { series, versions } = modelNamed(name);
      const version: Version = { queue: undefined };
      versions.add(version);
      return {
        onEvent: (event) => {
          if (versions.has(version)) series.count(event);
        },
        laneLost: (how) => {
          if (versions.has(version)) series.countLoss(how);
        },
        cached: (hitRows, missRows) => {
          if (versions.has(version)) series.cached(hitRows, missRows);
        },
        bindQueue: (fn) => {
          version.queue = fn;
        },
        remove: () => {
          if (!versions.delete(version) || versions.size > 0) return;
          models.delete(name);
          series.remove();
        },
      };
    },
  };
};

/** Of several versions of a name the queues add up; the cost is that of the newest, and so is the circuit. */
const queueOf = (versions: Iterable<Version>): QueueView => {
  let rows = 0;
  let oldestAgeMs = 0;
  let cost = UNKNOWN_COST;
  let circuitOpen = false;
  for (const { queue } of versions) {
    const view = queue?.();
    if (view === undefined) continue;
    rows += view.rows;
    oldestAgeMs = Math.max(oldestAgeMs, view.oldestAgeMs);
    cost = view.cost;
    circuitOpen = view.circuitOpen ?? false;
  }
  return { rows, oldestAgeMs, cost, circuitOpen };
};

const UNKNOWN_COST: QueueView['cost'] = {
  basis: 'rows',
  coefficients: { alphaMs: 0, betaMsPerToken: 0, kneeTokens: 0, quadMsPerTokenSquared: 0 },
  error: 0,
  runs: 0,
};
