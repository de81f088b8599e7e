import { nearest } from '../config/nearest.js';
import { CarpoolError, type WireError } from '../errors.js';
import type { ModelLookup } from './model-lookup.js';
import { textModelOf } from './text-model.js';
import type { ServedModel } from './served-model.js';
import type { VersionGroup } from './versions/group.js';

/** What is served, by name. Each change is one step: a request sees a model whole or not at all. */
export class ModelTable implements ModelLookup {
  readonly #groups = new Map<string, VersionGroup>();
  readonly #failures = new Map<string, WireError>();
  #hasSplits = false;
  #notReady: CarpoolError | undefined = new CarpoolError(
    'MODEL_UNAVAILABLE',
    'the models are still being loaded',
  );

  constructor(public defaultModel: string | undefined) {}

  /** By name. */
  get groups(): readonly VersionGroup[] {
    return [...this.#groups.values()].sort((a, b) => a.name.localeCompare(b.name));
  }

  get all(): readonly ServedModel[] {
    return this.groups.map(({ current }) => current);
  }

  /** Every loaded version of every name. */
  get allVersions(): readonly ServedModel[] {
    return this.groups.flatMap(({ models }) => models);
  }

  /** Models whose last load failed and that are not served. */
  get failures(): ReadonlyMap<string, WireError> {
    return this.#failures;
  }

  /** From now on a name that is not there is MODEL_NOT_FOUND; before, it may still come. */
  open(): void {
    this.#notReady = undefined;
  }

  requireOpen(): void {
    if (this.#notReady !== undefined) throw this.#notReady;
  }

  findGroup(name: string): VersionGroup | undefined {
    return this.#groups.get(name);
  }

  /** @throws as `get` */
  group(name: string): VersionGroup {
    const group = this.#groups.get(name);
    if (group !== undefined) return group;
    this.requireOpen();
    const failure = this.#failures.get(name);
    if (failure !== undefined)
      throw new CarpoolError('MODEL_UNAVAILABLE', `model '${name}' could not be loaded: ${failure.message}`);
    const names = [...this.#groups.keys()];
    const hint = nearest(name, names);
    throw new CarpoolError(
      'MODEL_NOT_FOUND',
      `no model '${name.slice(0, 128)}'` +
        (hint === undefined ? `; loaded: ${names.join(', ') || 'none'}` : `; did you mean '${hint}'?`),
    );
  }

  /** @param version '' or undefined = the default one. @throws also MODEL_NOT_FOUND for a version that is not loaded */
  get(name: string, version?: string): ServedModel {
    const group = this.group(name);
    return version === undefined || version === '' ? group.current : group.version(version);
  }

  textModel(name: string | undefined): ServedModel {
    return textModelOf(this, name);
  }

  /** The same with the versions that a caller gets where requests are split. */
  seenBy(caller: string): ModelLookup {
    return this.#hasSplits ? new CallerLookup(this, caller) : this;
  }

  /** @param group undefined: the name goes */
  protected put(name: string, group: VersionGroup | undefined): void {
    if (group === undefined) this.#groups.delete(name);
    else {
      this.#groups.set(name, group);
      this.#failures.delete(name);
    }
    this.#hasSplits = this.groups.some(({ isSplit }) => isSplit);
  }

  /** @returns whether there was one to forget */
  protected forgetFailure(name: string): boolean {
    return this.#failures.delete(name);
  }

  protected noteFailure(name: string, error: WireError): void {
    this.#failures.set(name, error);
  }
}

class CallerLookup implements ModelLookup {
  readonly #table: ModelTable;
  readonly #caller: string;

  constructor(table: ModelTable, caller: string) {
    this.#table = table;
    this.#caller = caller;
  }

  get defaultModel(): string | undefined {
    return this.#table.defaultModel;
  }

  get all(): readonly ServedModel[] {
    return this.#table.groups.map((group) => group.forCaller(this.#caller));
  }

  get(name: string, version = ''): ServedModel {
    return version === '' ? this.#table.group(name).forCaller(this.#caller) : this.#table.get(name, version);
  }

  textModel(name: string | undefined): ServedModel {
    return textModelOf(this, name);
  }

  requireOpen(): void {
    this.#table.requireOpen();
  }
}
