import { setImmediate as nextTurn } from 'node:timers/promises';
import { Batcher, CostModel, planCost, planFifo, type Clock } from '#batcher';
import type { ModelCache } from '../cache/model-cache.js';
import type { Contender } from '../executor/arbiter.js';
import type { Payload } from '../executor/join.js';
import type { Lane } from '../executor/lane.js';
import type { LanePool } from '../executor/pool.js';
import type { ItemOutput } from '../infer.js';
import type { ModelMetrics } from '../telemetry/batch-metrics.js';
import { AskLater } from './ask-later.js';
import type { CostStart } from './cost-keeper.js';
import { DecisionLog } from './decision-log.js';
import { InferenceStats } from './inference-stats.js';
import { servedClass } from './joining.js';
import { LaneRuns } from './lane-runs.js';
import { LaneGuard, NO_GUARD, type GuardOptions } from './lane-guard.js';
import type { ModelInfo } from './model-info.js';

export interface ServedModelDeps {
  readonly clock: Clock;
  readonly pool: Pick<LanePool, 'requestLane' | 'lanesView' | 'lanesFor' | 'idleWith' | 'sparesLanes'>;
  readonly metrics: ModelMetrics;
  /** What is known of its cost. */
  readonly start: Omit<CostStart, 'key'> & { readonly key: Pick<CostStart['key'], 'basis'> };
  /** Rows that are known to run; none where no input was found that does. */
  readonly samples: readonly Payload[];
  /** Default: runs may take any time, and the model stays in service whatever it does. */
  readonly guard?: GuardOptions;
  /** It was taken out of service, since it keeps losing lanes, or is back. */
  readonly onCircuit?: ((model: ServedModel, state: 'open' | 'closed') => void) | undefined;
  /** Absent where its answers are not kept. */
  readonly cache?: ModelCache | undefined;
}

/** Tokens of a long text, until some have come. */
const USUAL_LENGTH = 128;

/** One loaded version of one model: its description, its batcher, and the way from a group to the lane and back. */
export class ServedModel implements Contender {
  readonly batcher: Batcher<Payload, ItemOutput>;
  readonly metrics: ModelMetrics;
  readonly decisions: DecisionLog;
  readonly cost: CostModel;
  readonly stats = new InferenceStats();
  readonly samples: readonly Payload[];
  readonly guard: LaneGuard;
  readonly runs: LaneRuns;
  readonly cache: ModelCache | undefined;
  readonly #deps: ServedModelDeps;
  readonly #askLater: AskLater;
  #background: BackgroundModel | undefined;
  #holders = 0;
  #onReleased: (() => void) | undefined;

  constructor(
    /** Names this version in the lanes and in the codec. */
    readonly key: string,
    readonly info: ModelInfo,
    deps: ServedModelDeps,
  ) {
    const { clock, pool, metrics, start, samples, cache, guard = NO_GUARD, onCircuit } = deps;
    const { batch, batching } = info;
    this.#deps = deps;
    this.#askLater = new AskLater(clock, () => {
      if (this.oldestArrivalMs !== undefined) pool.requestLane();
    });
    this.metrics = metrics;
    this.samples = samples;
    this.cache = cache;
    this.decisions = new DecisionLog(clock);
    const { basis } = start.key;
    this.cost = start.known
      ? CostModel.known(basis, start.coefficients)
      : new CostModel(basis, start.coefficients);
    this.batcher = new Batcher<Payload, ItemOutput>({
      clock,
      cost: this.cost,
      usualLength: info.takesTexts
        ? (info.textLength ?? Math.min(USUAL_LENGTH, info.card.text?.maxTokens ?? USUAL_LENGTH))
        : start.sampleLength,
      lanes: () => pool.lanesView,
      requestLane: pool.requestLane,
      onEvent: (event) => {
        metrics.onEvent(event);
        this.decisions.note(event);
        this.stats.note(event);
      },
      plan: batching.composition === 'cost' ? planCost : planFifo,
      knobs: {
        maxBatch: batch.size ?? batching.maxBatch,
        maxWaitMs: batching.maxWaitMs,
        echoHoldMs: batching.echoHoldMs,
        maxBatchTokens: batching.maxBatchTokens,
        maxQueue: batching.maxQueue,
        join: servedClass(info) !== 'one-by-one',
        sloMs: batching.sloMs,
        shedding: batching.shedding,
      },
    });
    this.guard = new LaneGuard(info.name, {
      ...guard,
      clock,
      lanesLost: () => pool.lanesView.lost,
      sparesLanes: () => pool.sparesLanes,
      onLost: (how) => metrics.laneLost(how),
      onOpen: (refusal) => {
        onCircuit?.(this, 'open');
        // By then the batcher has put what rode in that lane back into its queue.
        setImmediate(() => this.batcher.rejectWaiting(refusal));
      },
      onClose: () => onCircuit?.(this, 'closed'),
    });
    this.runs = new LaneRuns({ key, info, clock, cost: this.cost, guard: this.guard });
    metrics.bindQueue(() => {
      const oldest = this.batcher.oldestArrivalMs;
      const oldestAgeMs = oldest === undefined ? 0 : clock.now() - oldest;
      const circuitOpen = this.guard.circuit !== 'closed';
      return { rows: this.batcher.queuedRows, oldestAgeMs, cost: this.batcher.cost, circuitOpen };
    });
  }

  get oldestArrivalMs(): number | undefined {
    return this.batcher.oldestArrivalMs;
  }

  /** Passes a lane by that could not open this model, as long as another may have it. */
  ride(lane: Lane): Promise<void> | undefined {
    const { pool } = this.#deps;
    if (!lane.has(this.key) && pool.lanesFor(this.key) > 0) {
      // Free lanes take turns, so that one will come which has it.
      if (pool.idleWith(this.key) > 0) pool.requestLane();
      else this.askLater();
      return undefined;
    }
    return this.batcher.ride(this.runs.in(lane));
  }

  /** Asks for a lane once more, soon. */
  askLater(): void {
    this.#askLater.plan();
  }

  /** This version for work that nobody waits for: its sessions, with a queue of their own that yields to all others. */
  inBackground(): BackgroundModel {
    this.#background ??= new BackgroundModel(this.key, this.info, this.#deps);
    return this.#background;
  }

  /** Of all its runs, those in the background too. */
  get guards(): readonly LaneGuard[] {
    return this.#background === undefined ? [this.guard] : [this.guard, this.#background.guard];
  }

  /** What an arbiter may have been given of it. */
  get contenders(): readonly Contender[] {
    return this.#background === undefined ? [this] : [this, this.#background];
  }

  /** Finishes what was asked of it; what nobody waits for is dropped. Nothing new is taken from here on. */
  async drain(): Promise<void> {
    this.#background?.batcher.abort();
    await Promise.all([this.batcher.drain(), this.#background?.batcher.drain()]);
  }

  /**
   * Keeps this version open while `work` goes on that has not boarded yet (a parse or an encode that takes its time, the
   * slices of a large request that are still to come), though it be replaced or unloaded meanwhile. Who looked it up, or
   * held it, a moment ago may still begin.
   */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#holders++;
    try {
      return await work();
    } finally {
      if (--this.#holders === 0) this.#onReleased?.();
    }
  }

  /** Resolves when nobody holds it, for one turn of the event loop: a request goes from one hold to the next. */
  async released(): Promise<void> {
    for (;;) {
      await nextTurn();
      if (this.#holders === 0) return;
      await new Promise<void>((resolve) => (this.#onReleased = resolve));
    }
  }
}

/** Batches' worth of rows that may wait; more are dropped. */
const MOST_BATCHES = 4;

/** Rides only where no other model has work, and never on the last idle lane of several. */
class BackgroundModel extends ServedModel {
  readonly isBackground = true;
  readonly #pool: ServedModelDeps['pool'];
  readonly #maxQueue: number;

  constructor(key: string, info: ModelInfo, deps: ServedModelDeps) {
    const maxQueue = MOST_BATCHES * (info.batch.size ?? info.batching.maxBatch);
    const batching = { ...info.batching, maxQueue, maxWaitMs: 0, echoHoldMs: 0 };
    // Its answers are to be its own, not kept ones, nor kept for callers; its pauses are not the model's.
    const apart = { metrics: UNCOUNTED, cache: undefined, onCircuit: undefined };
    super(key, { ...info, batching }, { ...deps, ...apart });
    this.#maxQueue = maxQueue;
    this.#pool = deps.pool;
  }

  /** Whether so many more rows would be queued now. */
  hasRoom(rows: number): boolean {
    return this.batcher.queuedRows + rows <= this.#maxQueue;
  }

  override ride(lane: Lane): Promise<void> | undefined {
    const { total, idle } = this.#pool.lanesView;
    if (total === 1 || idle > 0) return super.ride(lane);
    this.askLater();
    return undefined;
  }
}

const UNCOUNTED: ModelMetrics = {
  onEvent: () => undefined,
  laneLost: () => undefined,
  cached: () => undefined,
  bindQueue: () => undefined,
  remove: () => undefined,
};
