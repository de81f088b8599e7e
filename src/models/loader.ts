import { realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import type { Clock } from '#batcher';
import type { Codec } from '../codec/codec.js';
import type { Config } from '../config/schema.js';
import { CarpoolError, codeOf, messageOf } from '../errors.js';
import type { Arbiter } from '../executor/arbiter.js';
import { joinPayloads, type Payload } from '../executor/join.js';
import type { LanePool } from '../executor/pool.js';
import type { LaneBatch, ModelSpec } from '../executor/protocol.js';
import type { ModelMetrics } from '../telemetry/batch-metrics.js';
import { batchAxisOf } from './batch-axis.js';
import type { ModelInfo } from './model-info.js';
import { readModel, type ModelSource } from './repository.js';
import { sampleRows } from './samples.js';
import { selfTest, type SelfTest } from './self-test.js';
import { cardProblem } from '../codec/tasks/card-problem.js';
import type { CostKeeper, CostStart } from './cost-keeper.js';
import { ServedModel } from './served-model.js';
import type { Signature } from './signature.js';

export interface LoaderDeps {
  readonly config: Config;
  readonly intraOpThreads: number;
  readonly pool: LanePool;
  readonly arbiter: Arbiter;
  readonly codec: Codec;
  readonly costs: CostKeeper;
  readonly clock: Clock;
  /** Starts counting for one version of a model. */
  readonly observe: (model: string) => ModelMetrics;
  readonly onLoaded: (model: ServedModel) => void;
  readonly onRetired: (model: ServedModel) => void;
}

/** Texts for the self-test and the warm-up: of clearly different lengths, so that padding is part of the test. */
const SAMPLE_TEXTS: readonly string[] = [
  'yes',
  'The table at the window is booked for eight o’clock tomorrow.',
  'Please send the signed papers back before Friday, since the office will be closed for the whole of next week.',
];

/** Opens, tests and warms models, and takes them down again. Knows the order of these steps and nothing else. */
export class ModelLoader {
  readonly #deps: LoaderDeps;
  #versions = 0;

  constructor(deps: LoaderDeps) {
    this.#deps = deps;
  }

  /**
   * read -> open in one lane -> self-test -> open and warm in every lane -> batcher; from the second step on once more
   * where a lane dies meanwhile
   * @param atOnce true at start-up, when no lane has other work
   */
  async load(name: string, path: string, atOnce: boolean): Promise<ServedModel> {
    const { root } = this.#deps.config.models;
    try {
      return await this.#load(name, path, atOnce);
    } catch (error) {
      // Clients read this: where the root lies on this machine is none of their business.
      const realRoot = await realpath(root).catch(() => root);
      const message = messageOf(error)
        .replaceAll(realRoot + sep, '')
        .replaceAll(root + sep, '');
      throw new CarpoolError(codeOf(error), message, { cause: error });
    }
  }

  async #load(name: string, path: string, atOnce: boolean): Promise<ServedModel> {
    const { config } = this.#deps;
    const source = await readModel(name, path, { root: config.models.root, baseDir: config.baseDir });
    try {
      return await this.#attempt(source, atOnce);
    } catch (error) {
      if (codeOf(error) !== 'WORKER_LOST') throw error;
    }
    // That lane may have been ended by somebody else; one more is put down to the model.
    try {
      return await this.#attempt(source, atOnce);
    } catch (error) {
      if (codeOf(error) !== 'WORKER_LOST') throw error;
      const reason = `${messageOf(error)} while loading it, as at the first attempt`;
      throw new CarpoolError('MODEL_LOAD_FAILED', `${source.file}: ${reason}`);
    }
  }

  async #attempt(source: ModelSource, atOnce: boolean): Promise<ServedModel> {
    const { pool, arbiter, costs } = this.#deps;
    const key = `${source.name}#${++this.#versions}`;
    try {
      const { spec, signature, test, samples } = await this.#open(key, source);
      const warmup = samples.length === 0 ? [] : warmupOf(samples, test);
      const { size } = test.mode;
      await pool.furnish({ spec, warmup, ...(size === undefined ? {} : { fillTo: size }) }, atOnce);
      const start = await costs.start(key, source.file, samples, size);
      const model = this.#serve(key, source, signature, test, start);
      arbiter.add(model);
      this.#deps.onLoaded(model);
      await costs.measure(model, start, samples);
      return model;
    } catch (error) {
      await this.#close(key);
      throw error;
    }
  }

  /** Finishes what was asked of the model, then frees its memory. The name must be out of the registry by then. */
  async retire(model: ServedModel): Promise<void> {
    this.#deps.costs.retire(model);
    await model.released();
    await model.batcher.drain();
    this.#deps.arbiter.remove(model);
    model.metrics.remove();
    this.#deps.onRetired(model);
    await this.#close(model.key);
  }

  async #open(
    key: string,
    source: ModelSource,
  ): Promise<{ spec: ModelSpec; signature: Signature; test: SelfTest; samples: readonly Payload[] }> {
    const { codec, config, pool, intraOpThreads } = this.#deps;
    const opened =
      source.tokenizer === undefined ? undefined : await codec.openTokenizer(key, source.tokenizer);
    const maxTokens = source.card.text?.maxTokens;
    if (opened !== undefined && maxTokens !== undefined && maxTokens <= opened.specialTokens)
      throw new CarpoolError(
        'MODEL_LOAD_FAILED',
        `${source.file}: model.yaml: text.maxTokens: expected more than the ${opened.specialTokens} special tokens, got ${maxTokens}`,
      );
    const spec: ModelSpec = {
      key,
      file: source.file,
      executionProviders: config.lanes.executionProviders,
      intraOpThreads,
      ...(opened === undefined ? {} : { text: { padId: opened.padId } }),
    };
    const texts = opened === undefined ? undefined : await this.#sampleTexts(key, source);
    return pool.onLane(async (lane) => {
      const signature = await lane.load(spec);
      const problem = cardProblem(source.card, signature);
      if (problem !== undefined)
        throw new CarpoolError('MODEL_LOAD_FAILED', `${source.file}: model.yaml: ${problem}`);
      const axis = batchAxisOf(signature);
      const test = await selfTest({
        signature,
        axis,
        candidates: texts ?? sampleRows(signature, source.card.selfTest.dims, axis.kind),
        tolerance: source.card.selfTest.tolerance,
        run: (batch, fillTo) => lane.run(key, batch, fillTo),
      });
      return { spec, signature, test, samples: test.samples };
    });
  }

  async #sampleTexts(key: string, source: ModelSource): Promise<Payload[][]> {
    const maxTokens = source.card.text?.maxTokens ?? 512;
    const encoded = await this.#deps.codec.encode(key, SAMPLE_TEXTS, { maxTokens, truncate: true });
    let from = 0;
    return [
      Array.from(encoded.lengths, (length): Payload => {
        const ids = encoded.ids.slice(from, from + length);
        from += length;
        return { kind: 'text', ids };
      }),
    ];
  }

  #serve(
    key: string,
    source: ModelSource,
    signature: Signature,
    test: SelfTest,
    start: CostStart,
  ): ServedModel {
    const { config, clock, pool, observe } = this.#deps;
    const { name, card, labels } = source;
    const info: ModelInfo = {
      name,
      card,
      signature,
      batch: test.mode,
      batching: { ...config.batching, ...card.batching, ...config.models.overrides.get(name)?.batching },
      takesTexts: source.tokenizer !== undefined,
      loadedAt: new Date().toISOString(),
      ...(labels === undefined ? {} : { labels }),
    };
    return new ServedModel(key, info, { clock, pool, metrics: observe(name), start });
  }

  async #close(key: string): Promise<void> {
    await this.#deps.pool.unfurnish(key);
    await this.#deps.codec.closeTokenizer(key);
  }
}

/** One lone row and one batch, so that both paths through the runtime have their memory and their kernels ready. */
const warmupOf = (samples: readonly Payload[], test: SelfTest): LaneBatch[] => {
  const [first] = samples;
  if (first === undefined) return [];
  const alone = joinPayloads([first]);
  return test.mode.mode === 'dynamic' ? [alone, joinPayloads(samples)] : [alone];
};
