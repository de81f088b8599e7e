import PQueue from 'p-queue';
import { CarpoolError, toWireError, type WireError } from '../errors.js';
import { nearest } from '../config/nearest.js';
import type { ModelLoader } from './loader.js';
import type { ModelLookup } from './model-lookup.js';
import type { ServedModel } from './served-model.js';
import { textModelOf } from './text-model.js';

/**
 * The models being served, by name. Operations run one after the other (p-queue), and each becomes visible in one step:
 * a request sees a model whole or not at all.
 */
export class Registry implements ModelLookup {
  readonly #models = new Map<string, ServedModel>();
  readonly #failures = new Map<string, WireError>();
  /** Out of the table, but not done yet. */
  readonly #retiring = new Set<ServedModel>();
  readonly #loading = new Set<string>();
  /** Where each name was last loaded from. */
  readonly #paths = new Map<string, string>();
  readonly #operations = new PQueue({ concurrency: 1 });
  #notReady: CarpoolError | undefined = new CarpoolError(
    'MODEL_UNAVAILABLE',
    'the models are still being loaded',
  );

  constructor(
    readonly loader: ModelLoader,
    readonly defaultModel: string | undefined,
  ) {}

  get all(): readonly ServedModel[] {
    return [...this.#models.values()].sort((a, b) => a.info.name.localeCompare(b.info.name));
  }

  /** Models whose last load failed and that are not served. */
  get failures(): ReadonlyMap<string, WireError> {
    return this.#failures;
  }

  /** Names that a load is under way for; the old version may still serve. */
  get loading(): ReadonlySet<string> {
    return this.#loading;
  }

  /** Out of the table, finishing their work. */
  get retiring(): ReadonlySet<ServedModel> {
    return this.#retiring;
  }

  /** Where a name was last loaded from; else the folder of that name. */
  pathOf(name: string): string {
    return this.#paths.get(name) ?? name;
  }

  /** From now on a name that is not there is MODEL_NOT_FOUND; before, it may still come. */
  open(): void {
    this.#notReady = undefined;
  }

  /** @throws MODEL_UNAVAILABLE before `open` */
  requireOpen(): void {
    if (this.#notReady !== undefined) throw this.#notReady;
  }

  /** @throws MODEL_NOT_FOUND naming the nearest one; MODEL_UNAVAILABLE where loading it failed or has not ended */
  get(name: string): ServedModel {
    const model = this.#models.get(name);
    if (model !== undefined) return model;
    if (this.#notReady !== undefined) throw this.#notReady;
    const failure = this.#failures.get(name);
    if (failure !== undefined)
      throw new CarpoolError('MODEL_UNAVAILABLE', `model '${name}' could not be loaded: ${failure.message}`);
    const names = [...this.#models.keys()];
    const hint = nearest(name, names);
    throw new CarpoolError(
      'MODEL_NOT_FOUND',
      `no model '${name.slice(0, 128)}'` +
        (hint === undefined ? `; loaded: ${names.join(', ') || 'none'}` : `; did you mean '${hint}'?`),
    );
  }

  /** The model for raw texts: see `textModelOf`. */
  textModel(name: string | undefined): ServedModel {
    return textModelOf(this, name);
  }

  /**
   * Loads a model, or replaces one: the new version is tested and warm before it takes the name, the old one finishes
   * what it has. A failed load leaves the old one serving.
   * @throws MODEL_LOAD_FAILED, INVALID_REQUEST
   */
  load(name: string, path: string, atOnce = false): Promise<ServedModel> {
    return this.#operations.add(async () => {
      const old = this.#models.get(name);
      let model: ServedModel;
      this.#loading.add(name);
      try {
        model = await this.loader.load(name, path, atOnce);
      } catch (error) {
        if (old === undefined && atOnce) this.#failures.set(name, toWireError(error));
        throw error;
      } finally {
        this.#loading.delete(name);
      }
      this.#models.set(name, model);
      this.#paths.set(name, path);
      this.#failures.delete(name);
      if (old !== undefined) await this.#retire(old);
      return model;
    });
  }

  /** Takes the name away at once, then lets the queued and running work end, then frees the memory. */
  unload(name: string): Promise<void> {
    return this.#operations.add(async () => {
      if (this.#failures.delete(name) && !this.#models.has(name)) return;
      const model = this.get(name);
      this.#models.delete(name);
      await this.#retire(model);
    });
  }

  /** Resolves when no model has work left. Nothing new is taken from here on. */
  async drain(): Promise<void> {
    await Promise.all([...this.all, ...this.#retiring].map((model) => model.batcher.drain()));
  }

  abort(): void {
    for (const model of [...this.all, ...this.#retiring]) model.batcher.abort();
  }

  async #retire(model: ServedModel): Promise<void> {
    this.#retiring.add(model);
    try {
      await this.loader.retire(model);
    } finally {
      this.#retiring.delete(model);
    }
  }
}
