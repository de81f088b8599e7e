import { Batcher, CostModel, planCost, planFifo, type Clock, type CostCoefficients } from '#batcher';
import type { Contender } from '../executor/arbiter.js';
import { joinPayloads, splitOutput, type Payload } from '../executor/join.js';
import type { Lane } from '../executor/lane.js';
import type { LanePool } from '../executor/pool.js';
import type { ItemOutput } from '../infer.js';
import type { ModelMetrics } from '../telemetry/batch-metrics.js';
import { DecisionLog } from './decision-log.js';
import type { ModelInfo } from './model-info.js';

export interface ServedModelDeps {
  readonly clock: Clock;
  readonly pool: Pick<LanePool, 'requestLane' | 'lanesView'>;
  readonly metrics: ModelMetrics;
  /** What is known of its cost. */
  readonly start: { readonly coefficients: CostCoefficients; readonly known: boolean };
}

/** Tokens of a long text, until some have come. */
const USUAL_LENGTH = 128;

/** One loaded version of one model: its description, its batcher, and the way from a group to the lane and back. */
export class ServedModel implements Contender {
  readonly batcher: Batcher<Payload, ItemOutput>;
  readonly metrics: ModelMetrics;
  readonly decisions: DecisionLog;
  readonly cost: CostModel;
  readonly #clock: Clock;
  /** Least time seen between the lane's own time and ours: what the two messages take. */
  #messageMs = Infinity;

  constructor(
    /** Names this version in the lanes and in the codec. */
    readonly key: string,
    readonly info: ModelInfo,
    { clock, pool, metrics, start }: ServedModelDeps,
  ) {
    const { batch, batching } = info;
    this.metrics = metrics;
    this.#clock = clock;
    this.decisions = new DecisionLog(clock);
    const basis = info.takesTexts ? 'padded' : 'rows';
    this.cost = start.known
      ? CostModel.known(basis, start.coefficients)
      : new CostModel(basis, start.coefficients);
    this.batcher = new Batcher<Payload, ItemOutput>({
      clock,
      cost: this.cost,
      usualLength: info.takesTexts ? Math.min(USUAL_LENGTH, info.card.text?.maxTokens ?? USUAL_LENGTH) : 1,
      lanes: () => pool.lanesView,
      requestLane: pool.requestLane,
      onEvent: (event) => {
        metrics.onEvent(event);
        this.decisions.note(event);
      },
      plan: batching.composition === 'cost' ? planCost : planFifo,
      knobs: {
        maxBatch: batch.size ?? batching.maxBatch,
        maxWaitMs: batching.maxWaitMs,
        echoHoldMs: batching.echoHoldMs,
        maxBatchTokens: batching.maxBatchTokens,
        maxQueue: batching.maxQueue,
        join: batch.mode !== 'single' && batching.composition !== 'off',
        sloMs: batching.sloMs,
        shedding: batching.shedding,
      },
    });
    metrics.bindQueue(() => {
      const oldest = this.batcher.oldestArrivalMs;
      const oldestAgeMs = oldest === undefined ? 0 : clock.now() - oldest;
      return { rows: this.batcher.queuedRows, oldestAgeMs, cost: this.batcher.cost };
    });
  }

  get oldestArrivalMs(): number | undefined {
    return this.batcher.oldestArrivalMs;
  }

  ride(lane: Lane): Promise<void> | undefined {
    return this.batcher.ride(async (payloads, group) => {
      const sentAt = this.#clock.now();
      const output = await lane.run(this.key, joinPayloads(payloads), this.info.batch.size);
      const { runMs } = output;
      const laneMs = this.occupied(output.laneMs, this.#clock.now() - sentAt);
      const rows = group.items.map((item) => item.rows);
      return { values: splitOutput(output, rows, this.info.batch.mode !== 'single'), runMs, laneMs };
    });
  }

  /**
   * For how long a lane is taken by a run: its own time and the least that the messages take. The difference seen this
   * time may hold a busy event loop, which is no cost of the run.
   */
  occupied(laneMs: number, elapsedMs: number): number {
    this.#messageMs = Math.min(this.#messageMs, Math.max(0, elapsedMs - laneMs));
    return laneMs + this.#messageMs;
  }
}
