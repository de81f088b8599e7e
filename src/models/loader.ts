import { realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import type { Clock } from '#batcher';
import type { ModelCaches } from '../cache/model-caches.js';
import type { Codec } from '../codec/codec.js';
import type { Batching } from '../config/batching.js';
import type { Config } from '../config/schema.js';
import { CarpoolError, codeOf, messageOf } from '../errors.js';
import type { Arbiter } from '../executor/arbiter.js';
import type { Payload } from '../executor/join.js';
import { fixedLengthOf } from '../executor/pad.js';
import type { LanePool } from '../executor/pool.js';
import type { ModelSpec } from '../executor/protocol.js';
import type { ModelMetrics } from '../telemetry/batch-metrics.js';
import { framedSignature } from '../images/recipe-for.js';
import { batchAxisOf } from './batch-axis.js';
import type { Card } from './card.js';
import { AT_LOAD } from './invariance/effort.js';
import { examine } from './invariance/examine.js';
import { modeAfter } from './invariance/verdict.js';
import type { ModelInfo, TokenizerView } from './model-info.js';
import { readModel, type ModelSource } from './repository.js';
import { sampleRows } from './samples.js';
import { encodeSamples, maxTokensOf } from './sample-texts.js';
import { selfTest, wholeBatch, type SelfTest } from './self-test.js';
import { cardProblem } from '../codec/tasks/card-problem.js';
import type { CostKeeper } from './cost-keeper.js';
import { ServedModel, type ServedModelDeps } from './served-model.js';
import type { Signature } from './signature.js';
import { textCard } from './text-limits.js';
import { warmupOf } from './warm-up.js';

export interface LoaderDeps {
  readonly config: Config;
  readonly intraOpThreads: number;
  readonly pool: LanePool;
  readonly arbiter: Arbiter;
  readonly codec: Codec;
  readonly costs: CostKeeper;
  readonly clock: Clock;
  /** Absent: no answer is kept. */
  readonly caches?: ModelCaches;
  /** Starts counting for one version of a model. */
  readonly observe: (model: string) => ModelMetrics;
  readonly onLoaded: (model: ServedModel) => void;
  readonly onRetired: (model: ServedModel) => void;
}

/** A model that runs in one lane. */
interface Opened {
  readonly spec: ModelSpec;
  readonly signature: Signature;
  /** What its shapes allow. */
  readonly test: SelfTest;
  /** With what the file says of texts. */
  readonly card: Card;
  /** Sample texts, encoded; undefined where it takes tensors. */
  readonly texts: readonly Payload[] | undefined;
  /** Of models that take raw texts. */
  readonly tokenizer?: TokenizerView;
}

/** Opens, tests and warms models, and takes them down again. Knows the order of these steps and nothing else. */
export class ModelLoader {
  readonly #deps: LoaderDeps;
  #versions = 0;

  constructor(deps: LoaderDeps) {
    this.#deps = deps;
  }

  /**
   * read -> open in one lane -> self-test -> invariance -> open and warm in every lane -> batcher; from the second step on
   * once more where a lane dies meanwhile
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
      if (!laneDied(error)) throw error;
    }
    // That lane may have been ended by somebody else; one more is put down to the model.
    try {
      return await this.#attempt(source, atOnce);
    } catch (error) {
      if (!laneDied(error)) throw error;
      const reason = `${messageOf(error)} while loading it, as at the first attempt`;
      throw new CarpoolError('MODEL_LOAD_FAILED', `${source.file}: ${reason}`);
    }
  }

  async #attempt(read: ModelSource, atOnce: boolean): Promise<ServedModel> {
    const { pool, arbiter, costs, caches } = this.#deps;
    const key = `${read.name}#${++this.#versions}`;
    try {
      const fingerprint = await caches?.fingerprint(read);
      const opened = await this.#open(key, read);
      const { spec, signature, card } = opened;
      const source = { ...read, card };
      const { mode, samples } = await this.#examine(key, source, opened);
      const warmup = warmupOf(samples, mode);
      const { size } = mode;
      await pool.furnish({ spec, warmup, ...(size === undefined ? {} : { fillTo: size }) }, atOnce);
      const start = await costs.start(key, source.file, signature, samples, size);
      const cache = await caches?.open(read, fingerprint, signature, mode.mode !== 'single');
      const model = this.#serve(key, source, opened, { mode, samples }, { start, cache });
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

  async #open(key: string, source: ModelSource): Promise<Opened> {
    const { codec, config, pool, intraOpThreads } = this.#deps;
    const opened =
      source.tokenizer === undefined ? undefined : await codec.openTokenizer(key, source.tokenizer);
    if (source.card.task === 'image-classification') await codec.images.open();
    const spec: ModelSpec = {
      key,
      file: source.file,
      executionProviders: config.lanes.executionProviders,
      intraOpThreads,
      ...(opened === undefined ? {} : { text: { padId: opened.padId } }),
    };
    return pool.onLane(async (lane) => {
      const signature = await lane.load(spec);
      const problem = cardProblem(source.card, signature);
      if (problem !== undefined)
        throw new CarpoolError('MODEL_LOAD_FAILED', `${source.file}: model.yaml: ${problem}`);
      const card = opened === undefined ? source.card : textCard(source, signature, opened.specialTokens);
      const texts = opened === undefined ? undefined : await encodeSamples(codec, key, card);
      const axis = batchAxisOf(signature);
      const test = await selfTest({
        signature,
        axis,
        // Three of clearly different lengths: a model that can't take padding fails here.
        candidates:
          texts === undefined
            ? sampleRows(framedSignature(card, signature), card.selfTest.dims, axis.kind)
            : [texts.slice(0, 3)],
        run: (batch, fillTo) => lane.run(key, batch, fillTo),
      });
      return {
        ...{ spec, signature, test, card, texts },
        ...(opened === undefined ? {} : { tokenizer: opened.view }),
      };
    });
  }

  /** Finds out whether rows change each other; takes the lane for each run anew, since others may be waiting for it. */
  async #examine(key: string, source: ModelSource, { signature, test, texts }: Opened): Promise<SelfTest> {
    const { mode, samples } = test;
    const batching = this.#batchingOf(source);
    if (batching.batchInvariance === 'off' || mode.mode === 'single') return test;
    const measured = await examine(
      {
        signature,
        mode,
        batching,
        maxTokens: maxTokensOf(source.card),
        samples: texts ?? samples,
        run: (batch, fillTo) => this.#deps.pool.onLane((lane) => lane.run(key, batch, fillTo)),
      },
      AT_LOAD,
    );
    if (measured === undefined) return test;
    const after = modeAfter(mode, measured, {
      tolerance: source.card.selfTest.tolerance,
      enforced: batching.batchInvariance === 'enforce',
      isText: texts !== undefined,
    });
    const whole = after.mode === 'single' && mode.size !== undefined;
    return { mode: after, samples: whole ? wholeBatch(samples.slice(0, mode.size), mode.size) : samples };
  }

  /** A model's own entry in config.yaml wins over its card, which wins over what holds for all. */
  #batchingOf({ name, card }: ModelSource): Batching {
    const { batching, models } = this.#deps.config;
    return { ...batching, ...card.batching, ...models.overrides.get(name)?.batching };
  }

  #serve(
    key: string,
    source: ModelSource,
    { signature, tokenizer }: Opened,
    { mode, samples }: SelfTest,
    known: Pick<ServedModelDeps, 'start' | 'cache'>,
  ): ServedModel {
    const { clock, pool, observe } = this.#deps;
    const { name, card, labels } = source;
    const takesTexts = source.tokenizer !== undefined;
    const textLength = takesTexts ? fixedLengthOf(signature) : undefined;
    const info: ModelInfo = {
      name,
      card,
      signature,
      batch: mode,
      batching: this.#batchingOf(source),
      takesTexts,
      ...(textLength === undefined ? {} : { textLength }),
      loadedAt: new Date().toISOString(),
      ...(labels === undefined ? {} : { labels }),
      ...(tokenizer === undefined ? {} : { tokenizer }),
    };
    return new ServedModel(key, info, { clock, pool, metrics: observe(name), samples, ...known });
  }

  async #close(key: string): Promise<void> {
    await this.#deps.pool.unfurnish(key);
    await this.#deps.codec.closeTokenizer(key);
  }
}

/** The second: its place was taken by a lane that does not have the model yet. */
const laneDied = (error: unknown): boolean => ['WORKER_LOST', 'MODEL_UNAVAILABLE'].includes(codeOf(error));
