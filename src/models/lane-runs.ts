import type { Clock, CostModel, RunGroup } from '#batcher';
import { joinPayloads, splitOutput, type Payload } from '../executor/join.js';
import type { Lane } from '../executor/lane.js';
import type { ItemOutput } from '../infer.js';
import type { LaneGuard } from './lane-guard.js';
import type { ModelInfo } from './model-info.js';

export interface LaneRunsDeps {
  /** Names this version in the lanes. */
  readonly key: string;
  readonly info: ModelInfo;
  readonly clock: Clock;
  readonly cost: CostModel;
  readonly guard: LaneGuard;
}

/** The way from a group to the lane and back. */
export class LaneRuns {
  readonly #deps: LaneRunsDeps;
  /** Least time seen between the lane's own time and ours: what the two messages take. */
  #messageMs = Infinity;

  constructor(deps: LaneRunsDeps) {
    this.#deps = deps;
  }

  in(lane: Lane): RunGroup<Payload, ItemOutput> {
    const { key, info, clock, cost, guard } = this.#deps;
    return async (payloads, group) => {
      const sentAt = clock.now();
      const { size, mode } = info.batch;
      const forecast = {
        predictedMs: cost.predict(group),
        isTrusted: cost.trusted,
        isRepeated: group.reason === 'retry',
      };
      const output = await guard.run(forecast, (limitMs) =>
        lane.run(key, joinPayloads(payloads), size, limitMs),
      );
      const { runMs } = output;
      const laneMs = this.occupied(output.laneMs, clock.now() - sentAt);
      const rows = group.items.map((item) => item.rows);
      return { values: splitOutput(output, rows, mode !== 'single'), runMs, laneMs };
    };
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
