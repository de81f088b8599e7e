import { Batcher, planFifo, type Clock } from '#batcher';
import type { Contender } from '../executor/arbiter.js';
import { joinPayloads, splitOutput, type Payload } from '../executor/join.js';
import type { Lane } from '../executor/lane.js';
import type { ItemOutput } from '../infer.js';
import type { ModelMetrics } from '../telemetry/batch-metrics.js';
import type { ModelInfo } from './model-info.js';

export interface ServedModelDeps {
  readonly clock: Clock;
  readonly requestLane: () => void;
  readonly metrics: ModelMetrics;
}

/** One loaded version of one model: its description, its batcher, and the way from a group to the lane and back. */
export class ServedModel implements Contender {
  readonly batcher: Batcher<Payload, ItemOutput>;
  readonly metrics: ModelMetrics;

  constructor(
    /** Names this version in the lanes and in the codec. */
    readonly key: string,
    readonly info: ModelInfo,
    { clock, requestLane, metrics }: ServedModelDeps,
  ) {
    const { batch, batching } = info;
    this.metrics = metrics;
    this.batcher = new Batcher<Payload, ItemOutput>({
      clock,
      requestLane,
      onEvent: metrics.onEvent,
      plan: planFifo,
      knobs: {
        maxBatch: batch.size ?? batching.maxBatch,
        maxWaitMs: batching.maxWaitMs,
        maxBatchTokens: batching.maxBatchTokens,
        maxQueue: batching.maxQueue,
        join: batch.mode !== 'single',
      },
    });
    metrics.bindQueue(() => {
      const oldest = this.batcher.oldestArrivalMs;
      return { rows: this.batcher.queuedRows, oldestAgeMs: oldest === undefined ? 0 : clock.now() - oldest };
    });
  }

  get oldestArrivalMs(): number | undefined {
    return this.batcher.oldestArrivalMs;
  }

  ride(lane: Lane): Promise<void> | undefined {
    return this.batcher.ride(async (payloads, group) => {
      const output = await lane.run(this.key, joinPayloads(payloads), this.info.batch.size);
      const rows = group.items.map((item) => item.rows);
      return { values: splitOutput(output, rows, this.info.batch.mode !== 'single'), runMs: output.runMs };
    });
  }
}
