import type { Clock, CostCoefficients } from '#batcher';
import type { Config } from '../config/schema.js';
import { codeOf, messageOf } from '../errors.js';
import type { LaneLayout } from '../executor/cpu-quota.js';
import { joinPayloads, type Payload } from '../executor/join.js';
import { fixedLengthOf } from '../executor/pad.js';
import type { LanePool } from '../executor/pool.js';
import { calibrate, type CalibrationDeps } from './calibrate.js';
import { CostCache, type CostKey } from './cost-cache.js';
import { mostRows } from './joining.js';
import { costBasisOf, rowLength } from './row-length.js';
import type { ServedModel } from './served-model.js';
import type { Signature } from './signature.js';

export interface CostKeeperDeps {
  readonly config: Config;
  readonly layout: LaneLayout;
  readonly pool: LanePool;
  readonly clock: Clock;
  /** Its cost was measured, or read from the cache. */
  readonly onKnown: (model: ServedModel, from: 'lanes' | 'cache') => void;
  readonly onFault: (message: string) => void;
}

/** What is known of a model's cost before traffic: from the cache, or else a guess. */
export interface CostStart {
  readonly key: CostKey;
  readonly coefficients: CostCoefficients;
  readonly known: boolean;
  /** Length of a sample's rows, see rowLength; 1 where there is no sample. */
  readonly sampleLength: number;
}

/** Part of a lone run that a guess takes for fixed: little, so that little is joined before it is known to pay. */
const GUESSED_ALPHA = 0.2;
const GUESS_RUNS = 3;

/** Sees to it that costs are known: from the cache at once, or measured on the model's own lanes when they are idle. */
export class CostKeeper {
  readonly #deps: CostKeeperDeps;
  readonly #cache: CostCache;
  /** Stops what is being measured, each model by itself. */
  readonly #measuring = new Map<ServedModel, AbortController>();
  readonly #closed = new AbortController();
  #open = false;

  constructor(deps: CostKeeperDeps) {
    this.#deps = deps;
    this.#cache = new CostCache(deps.config.models.cacheDir);
  }

  /** @param sha256 of the ONNX file */
  async start(
    modelKey: string,
    sha256: string,
    signature: Signature,
    samples: readonly Payload[],
    fillTo: number | undefined,
  ): Promise<CostStart> {
    const { config, layout } = this.#deps;
    const key: CostKey = {
      sha256,
      basis: samples[0]?.kind === 'text' ? 'padded' : costBasisOf(signature),
      executionProviders: config.lanes.executionProviders,
      intraOpThreads: layout.intraOpThreads,
      lanes: layout.count,
      isolation: config.lanes.isolation,
    };
    const sampleLength = lengthOf(samples[0], signature);
    const cached = await this.#cache.read(key);
    if (cached !== undefined) return { key, coefficients: cached, known: true, sampleLength };
    const coefficients = await this.#guess(modelKey, samples, sampleLength, fillTo);
    return { key, coefficients, known: false, sampleLength };
  }

  /** Measures what is not known: before this resolves (`eager`), or from now on in idle time. */
  async measure(model: ServedModel, start: CostStart, samples: readonly Payload[]): Promise<void> {
    const { calibrate: when } = model.info.batching;
    if (start.known) this.#deps.onKnown(model, 'cache');
    if (start.known || samples.length === 0 || when === 'off') return;
    const measuring = this.#calibrate(model, start, samples, when === 'eager');
    if (when === 'eager') await measuring;
  }

  /** Stops measuring a model. */
  retire(model: ServedModel): void {
    this.#measuring.get(model)?.abort();
  }

  /** The start is over: idle time may be used from here on. */
  open(): void {
    this.#open = true;
  }

  close(): void {
    this.#closed.abort();
  }

  async #calibrate(
    model: ServedModel,
    start: CostStart,
    samples: readonly Payload[],
    eager: boolean,
  ): Promise<void> {
    const { pool, clock, onKnown, onFault } = this.#deps;
    const retired = new AbortController();
    this.#measuring.set(model, retired);
    try {
      const learnt = await calibrate({
        ...subjectOf(model, samples),
        cost: model.cost,
        clock,
        budgetMs: model.info.batching.calibrateBudgetMs,
        withLane: (work) => {
          if (eager) return pool.onLane(work);
          return this.#open ? pool.whileIdle(work) : undefined;
        },
        signal: AbortSignal.any([this.#closed.signal, retired.signal]),
      });
      if (!learnt) return;
      onKnown(model, 'lanes');
      await this.#cache.write(start.key, model.cost.fit.coefficients);
    } catch (error) {
      // A lane that dies, a full disk: the model is served by its prior and learns from traffic.
      if (!this.#closed.signal.aborted && codeOf(error) !== 'WORKER_LOST')
        onFault(`the cost of ${model.info.name} was not measured: ${messageOf(error)}`);
    } finally {
      this.#measuring.delete(model);
    }
  }

  /** From a few lone runs: most of their time is taken for the price of their tokens. */
  async #guess(
    modelKey: string,
    samples: readonly Payload[],
    area: number,
    fillTo: number | undefined,
  ): Promise<CostCoefficients> {
    const [sample] = samples;
    let aloneMs = 1;
    if (sample !== undefined)
      await this.#deps.pool.onLane(async (lane) => {
        const times: number[] = [];
        for (let i = 0; i < GUESS_RUNS; i++)
          times.push((await lane.run(modelKey, joinPayloads([sample]), fillTo)).laneMs);
        aloneMs = Math.min(...times);
      });
    return {
      alphaMs: GUESSED_ALPHA * aloneMs,
      betaMsPerToken: ((1 - GUESSED_ALPHA) * aloneMs) / area,
      kneeTokens: 0,
      quadMsPerTokenSquared: 0,
    };
  }
}

const lengthOf = (sample: Payload | undefined, signature: Signature): number => {
  if (sample === undefined) return 1;
  if (sample.kind === 'tensors') return rowLength(signature, sample.inputs);
  return fixedLengthOf(signature) ?? sample.ids.length;
};

/** What calibration needs to know of the model that it measures. */
export const subjectOf = (
  model: ServedModel,
  samples: readonly Payload[],
): Pick<
  CalibrationDeps,
  'key' | 'samples' | 'maxBatch' | 'maxTokens' | 'textLength' | 'sampleLength' | 'fillTo' | 'occupied'
> => {
  const { batch, card, signature, textLength } = model.info;
  return {
    key: model.key,
    samples,
    maxBatch: mostRows(model.info),
    maxTokens: card.text?.maxTokens ?? 512,
    sampleLength: lengthOf(samples[0], signature),
    ...(textLength === undefined ? {} : { textLength }),
    ...(batch.size === undefined ? {} : { fillTo: batch.size }),
    occupied: (laneMs, elapsedMs) => model.runs.occupied(laneMs, elapsedMs),
  };
};
