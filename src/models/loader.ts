import type { Clock } from '#batcher';
import type { ModelCaches } from '../cache/model-caches.js';
import type { Codec } from '../codec/codec.js';
import type { Config } from '../config/schema.js';
import { CarpoolError, codeOf, messageOf } from '../errors.js';
import type { Arbiter } from '../executor/arbiter.js';
import { fixedLengthOf } from '../executor/pad.js';
import type { LanePool } from '../executor/pool.js';
import type { ModelMetrics } from '../telemetry/batch-metrics.js';
import { batchingOf } from './batching-of.js';
import { AT_LOAD } from './invariance/effort.js';
import { examine } from './invariance/examine.js';
import { modeAfter } from './invariance/verdict.js';
import { fileErrorOf } from './gone.js';
import type { ModelInfo } from './model-info.js';
import { openModel, type OnLane, type Opened, type OpeningDeps } from './open-model.js';
import { findInRoot, withoutRoot } from './paths.js';
import { readModel, type ModelRoot, type ModelSource } from './repository.js';
import { maxTokensOf } from './sample-texts.js';
import { wholeBatch, type SelfTest } from './self-test.js';
import type { CostKeeper } from './cost-keeper.js';
import { guardOptionsOf } from './lane-guard.js';
import { withSecondAttempt } from './second-attempt.js';
import { sealOf, type Seal } from './seal.js';
import { ServedModel, type ServedModelDeps } from './served-model.js';
import type { Trials } from './trial/trials.js';
import type { VersionSource } from './versions/assemble.js';
import { versionPaths } from './versions/folders.js';
import { stampOf } from './versions/stamp.js';
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
  /** Where files that are not known yet run first; absent = nowhere. */
  readonly trials?: Trials;
  /** Starts counting for one version of a model. */
  readonly observe: (model: string) => ModelMetrics;
  readonly onLoaded: (model: ServedModel) => void;
  readonly onRetired: (model: ServedModel) => void;
  /** A model was taken out of service, since it keeps losing lanes, or is back. */
  readonly onCircuit?: (model: ServedModel, state: 'open' | 'closed') => void;
}

/** Opens, tests and warms models, and takes them down again. Knows the order of these steps and nothing else. */
export class ModelLoader implements VersionSource {
  readonly #deps: LoaderDeps;
  #config: Config;
  #versions = 0;

  constructor(deps: LoaderDeps) {
    this.#deps = deps;
    this.#config = deps.config;
  }

  /** As it is now. */
  get config(): Config {
    return this.#config;
  }

  /** Settings for the models that are loaded from now on. */
  reconfigure(config: Config): void {
    this.#config = config;
  }

  versionPaths(path: string): Promise<ReadonlyMap<string, string> | undefined> {
    return versionPaths(path, this.#where);
  }

  async stampOf(path: string): Promise<string> {
    const found = await this.locate(path);
    if (found === undefined) return '';
    return stampOf(found).catch((error: unknown) => {
      throw new CarpoolError('MODEL_LOAD_FAILED', `${path}: can't be read: ${fileErrorOf(error)}`);
    });
  }

  /** Real path of what a path names; undefined where nothing is. @throws MODEL_LOAD_FAILED where that can't be told */
  locate(path: string): Promise<string | undefined> {
    const { root, baseDir } = this.#where;
    // What leads out of the root is none of its models.
    return findInRoot(path, root, [baseDir, root]).catch((error: unknown) => {
      if (codeOf(error) !== 'INVALID_REQUEST') throw error;
      return undefined;
    });
  }

  /**
   * read -> trial in a process of its own, where the file is new -> open in one lane -> self-test -> invariance -> open
   * and warm in every lane -> batcher; from the opening on once more where a lane dies meanwhile
   * @param atOnce true at start-up, when no lane has other work
   * @param version in place of the card's own
   */
  async load(name: string, path: string, atOnce: boolean, version?: string): Promise<ServedModel> {
    const { root } = this.#where;
    try {
      return await this.#load(name, path, atOnce, version);
    } catch (error) {
      throw new CarpoolError(codeOf(error), await withoutRoot(messageOf(error), root), { cause: error });
    }
  }

  async #load(
    name: string,
    path: string,
    atOnce: boolean,
    version: string | undefined,
  ): Promise<ServedModel> {
    const read = await readModel(name, path, this.#where);
    const source = version === undefined ? read : { ...read, card: { ...read.card, version } };
    // Before the trial: from here on every lane must open the files that are tested.
    const seal = await sealOf(source.file);
    await this.#try(source);
    return withSecondAttempt(source.file, () => this.#attempt(source, seal, atOnce));
  }

  async #attempt(read: ModelSource, seal: Seal, atOnce: boolean): Promise<ServedModel> {
    const { pool, arbiter, costs, caches } = this.#deps;
    const key = `${read.name}#${++this.#versions}`;
    try {
      const fingerprint = await caches?.fingerprint(read);
      const onLane: OnLane = (work) => pool.onLane((lane) => seal.requireSame().then(() => work(lane)));
      const opened = await openModel({ ...this.#opening, onLane }, key, read);
      const { spec, signature, card } = opened;
      const source = { ...read, card };
      const { mode, samples } = await this.#examine(key, source, opened);
      const warmup = warmupOf(samples, mode);
      const { size } = mode;
      const fillTo = size === undefined ? {} : { fillTo: size };
      await pool.furnish({ spec, warmup, requireSame: seal.requireSame, ...fillTo }, atOnce);
      const start = await costs.start(key, seal.sha256, signature, samples, size);
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
    await model.drain();
    for (const contender of model.contenders) this.#deps.arbiter.remove(contender);
    model.metrics.remove();
    this.#deps.onRetired(model);
    await this.#close(model.key);
  }

  /** Ends trials that are under way: the gateway is closing. */
  close(): void {
    this.#deps.trials?.close();
  }

  get #where(): ModelRoot {
    const { models, baseDir } = this.#config;
    return { root: models.root, baseDir };
  }

  get #opening(): Omit<OpeningDeps, 'onLane'> {
    const { codec, intraOpThreads } = this.#deps;
    return { codec, intraOpThreads, executionProviders: this.#config.lanes.executionProviders };
  }

  /** A file that the runtime dies of takes nothing of ours with it. */
  async #try(source: ModelSource): Promise<void> {
    const { trials, codec } = this.#deps;
    const { trial, trialTimeoutMs: timeoutMs, trialMemoryBytes: memoryBytes } = this.#config.models;
    if (trials === undefined || !trial) return;
    const key = `${source.name}#trial${++this.#versions}`;
    try {
      await trials.pass(source.file, { timeoutMs, memoryBytes }, (onLane) =>
        openModel({ ...this.#opening, onLane }, key, source),
      );
    } finally {
      await codec.closeTokenizer(key);
    }
  }

  /** Finds out whether rows change each other; takes the lane for each run anew, since others may be waiting for it. */
  async #examine(key: string, source: ModelSource, { signature, test, texts }: Opened): Promise<SelfTest> {
    const { mode, samples } = test;
    const batching = batchingOf(this.#config, source);
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

  #serve(
    key: string,
    source: ModelSource,
    { signature, tokenizer }: Opened,
    { mode, samples }: SelfTest,
    known: Pick<ServedModelDeps, 'start' | 'cache'>,
  ): ServedModel {
    const { clock, config, pool, observe, onCircuit } = this.#deps;
    const { name, card, labels } = source;
    const takesTexts = source.tokenizer !== undefined;
    const textLength = takesTexts ? fixedLengthOf(signature) : undefined;
    const info: ModelInfo = {
      name,
      card,
      signature,
      batch: mode,
      batching: batchingOf(this.#config, source),
      takesTexts,
      ...(textLength === undefined ? {} : { textLength }),
      loadedAt: new Date().toISOString(),
      ...(labels === undefined ? {} : { labels }),
      ...(tokenizer === undefined ? {} : { tokenizer }),
    };
    const guard = guardOptionsOf(config.lanes);
    return new ServedModel(key, info, {
      ...{ clock, pool, metrics: observe(name), samples, guard },
      ...known,
      ...(onCircuit === undefined ? {} : { onCircuit }),
    });
  }

  async #close(key: string): Promise<void> {
    await this.#deps.pool.unfurnish(key);
    await this.#deps.codec.closeTokenizer(key);
  }
}
