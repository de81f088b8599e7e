import PQueue from 'p-queue';
import { CarpoolError, messageOf, toWireError } from '../errors.js';
import type { ModelLoader } from './loader.js';
import { ModelTable } from './model-table.js';
import type { ServedModel } from './served-model.js';
import { Assembler, type BadVersion } from './versions/assemble.js';
import { VersionGroup } from './versions/group.js';
import { policyAfter, usualPolicy, type VersionPolicy } from './versions/policy.js';

/** What is to change of a name; what is left out stays as it is. */
interface Change {
  readonly path?: string;
  readonly policy?: VersionPolicy;
  readonly atOnce?: boolean;
  /** See Assembly. */
  readonly isStrict: boolean;
  readonly isFresh?: boolean;
}

/** An operation whose change is visible. */
interface Changed<T> {
  readonly result: T;
  /** Resolves when what it took out of the table is freed. */
  readonly freed: Promise<void>;
}

/**
 * The models being served, and the operations on them. These run one after the other (p-queue), and each becomes visible
 * in one step:
 *
 *     load what is missing ─▶ put the new group in place (one step) ─▶ drain what is not in it ─▶ free it
 *     └──────────────── one operation at a time ──────────────────┘   └── the next one may begin ───────┘
 *
 * Whoever reads an answer slowly keeps a version open, so nobody else waits for that.
 */
export class Registry extends ModelTable {
  /** Out of the table, but not done yet. */
  readonly #retiring = new Set<ServedModel>();
  readonly #loading = new Set<string>();
  /** Where each name was last loaded from. */
  readonly #paths = new Map<string, string>();
  /** Versions that could not be loaded, by name. */
  readonly #bad = new Map<string, ReadonlyMap<string, BadVersion>>();
  readonly #operations = new PQueue({ concurrency: 1 });
  #isDraining = false;

  /** @param configured the policy of config.yaml for a name */
  constructor(
    readonly loader: ModelLoader,
    defaultModel: string | undefined,
    readonly configured: (name: string) => VersionPolicy = usualPolicy,
    /** What nobody waits for could not be freed. */
    readonly onFault: (name: string, reason: string) => void = () => undefined,
  ) {
    super(defaultModel);
  }

  /** Names that a load is under way for; the old version may still serve. */
  get loading(): ReadonlySet<string> {
    return this.#loading;
  }

  /** Out of the table, finishing their work. */
  get retiring(): ReadonlySet<ServedModel> {
    return this.#retiring;
  }

  /** Nothing new is taken: see `drain`. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Versions of a served name whose files could not be loaded. */
  badVersions(name: string): ReadonlyMap<string, BadVersion> {
    return this.#bad.get(name) ?? new Map<string, BadVersion>();
  }

  /** How the files of a served name looked when it was loaded, see stampOf; undefined for one that is not served. */
  stampOf(name: string): string | undefined {
    return this.findGroup(name)?.parts.stamp;
  }

  /** Where a name was last loaded from; else the folder of that name. */
  pathOf(name: string): string {
    return this.#paths.get(name) ?? name;
  }

  /**
   * Loads a model, or replaces one: what is new is tested and warm before it takes the name, the old one finishes what
   * it has. Of a folder with versions those are loaded that the policy wants; the ones whose files are the same stay.
   * A failed load leaves the old one serving. Resolves when the old one is freed.
   * @param atOnce at start-up: no lane has other work; a version that fails does not keep the others away
   * @throws MODEL_LOAD_FAILED, INVALID_REQUEST
   */
  load(name: string, path: string, atOnce = false): Promise<ServedModel> {
    return this.#untilFreed(() => this.#change(name, { path, atOnce, isStrict: !atOnce }));
  }

  /**
   * Looks at the files of a name once more, as `load` does, but takes what is good of them. Resolves as soon as that
   * serves.
   * @param isFresh opens all versions anew, since settings have changed
   * @throws as `load`, where nothing can be served
   */
  refresh(name: string, isFresh = false): Promise<ServedModel> {
    return this.#untilVisible(name, () =>
      this.#change(name, { path: this.pathOf(name), isStrict: false, isFresh }),
    );
  }

  /**
   * Changes which versions get which requests, loading what that takes. Nothing changes where something is wrong.
   * @throws MODEL_NOT_FOUND, MODEL_LOAD_FAILED; CONFLICT where the folder has no versions, or a rollback came between
   */
  setPolicy(name: string, policy: VersionPolicy): Promise<ServedModel> {
    return this.#untilFreed(() => {
      if (!this.group(name).parts.isVersioned)
        throw new CarpoolError(
          'CONFLICT',
          `model '${name}' has no versions: its folder ${this.pathOf(name)} holds one model, expected numeric folders`,
        );
      return this.#change(name, { policy, isStrict: true });
    });
  }

  /**
   * Back to what served before the last change of the policy or of the default version; again, and it is undone. At
   * once, whatever is being loaded: both are loaded already.
   * @throws MODEL_NOT_FOUND; CONFLICT where nothing is kept to go back to
   */
  rollback(name: string): VersionGroup {
    const { parts, currentVersion } = this.group(name);
    const { undo, policy } = parts;
    if (undo === undefined)
      throw new CarpoolError('CONFLICT', `model '${name}': no version that served before is loaded`);
    const back = { ...undo.policy, default: undo.current };
    const group = new VersionGroup({ ...parts, policy: back, undo: { policy, current: currentVersion } });
    this.put(name, group);
    return group;
  }

  /** Takes the name away at once, then lets the queued and running work end, then frees the memory. */
  unload(name: string): Promise<void> {
    return this.#untilFreed(() => this.#remove(name));
  }

  /** As `unload`; resolves as soon as the name is gone. */
  drop(name: string): Promise<void> {
    return this.#untilVisible(name, () => this.#remove(name));
  }

  /**
   * Resolves when no model has work left. Nothing new is taken from here on: operations that wait are refused as
   * DRAINING, and what the one under way has opened is closed again.
   */
  async drain(): Promise<void> {
    this.#isDraining = true;
    await Promise.all([...this.allVersions, ...this.#retiring].map((model) => model.drain()));
  }

  abort(): void {
    this.#isDraining = true;
    for (const model of [...this.allVersions, ...this.#retiring]) model.batcher.abort();
  }

  #operate<T>(operation: () => Changed<T> | Promise<Changed<T>>): Promise<Changed<T>> {
    return this.#operations.add(async () => {
      this.#refuseWhenDraining();
      return operation();
    });
  }

  async #untilFreed<T>(operation: () => Changed<T> | Promise<Changed<T>>): Promise<T> {
    const { result, freed } = await this.#operate(operation);
    await freed;
    return result;
  }

  async #untilVisible<T>(name: string, operation: () => Changed<T> | Promise<Changed<T>>): Promise<T> {
    const { result, freed } = await this.#operate(operation);
    freed.catch((error: unknown) => this.onFault(name, messageOf(error)));
    return result;
  }

  #refuseWhenDraining(): void {
    if (this.#isDraining) throw new CarpoolError('DRAINING', 'the gateway is shutting down');
  }

  #remove(name: string): Changed<undefined> {
    this.#bad.delete(name);
    const isForgotten = this.forgetFailure(name) && this.findGroup(name) === undefined;
    const models = isForgotten ? [] : this.group(name).models;
    this.put(name, undefined);
    return { result: undefined, freed: this.#retire(models) };
  }

  async #change(
    name: string,
    { path, policy, atOnce = false, isStrict, isFresh = false }: Change,
  ): Promise<Changed<ServedModel>> {
    const old = this.findGroup(name);
    const assembler = new Assembler({
      source: this.loader,
      name,
      path: path ?? this.pathOf(name),
      policy: policyAfter(old?.parts.policy, policy) ?? this.configured(name),
      old,
      ...{ atOnce, isStrict, isFresh },
      bad: this.badVersions(name),
    });
    let group: VersionGroup;
    this.#loading.add(name);
    try {
      const assembled = await assembler.run();
      this.#refuseWhenDraining();
      group = this.#afterRollback(old, assembled.group, policy !== undefined);
      this.#bad.set(name, assembled.bad);
    } catch (error) {
      await this.#retire(assembler.opened);
      if (old === undefined && !isStrict && !this.#isDraining) this.noteFailure(name, toWireError(error));
      throw error;
    } finally {
      this.#loading.delete(name);
    }
    this.put(name, group);
    this.#paths.set(name, group.parts.path);
    const stays = group.models;
    const all = [...(old?.models ?? []), ...assembler.opened];
    const freed = this.#retire(all.filter((model) => !stays.includes(model)));
    return { result: group.current, freed };
  }

  /** Somebody may have rolled back while it was loading: that holds. */
  #afterRollback(old: VersionGroup | undefined, next: VersionGroup, setsPolicy: boolean): VersionGroup {
    const now = this.findGroup(next.name);
    if (now === old || now === undefined) return next;
    const loaded = new Map([...now.parts.loaded, ...next.parts.loaded]);
    if (setsPolicy) throw new CarpoolError('CONFLICT', `model '${next.name}' was rolled back meanwhile`);
    return new VersionGroup({ ...next.parts, policy: now.parts.policy, undo: now.parts.undo, loaded });
  }

  async #retire(models: readonly ServedModel[]): Promise<void> {
    for (const model of models) this.#retiring.add(model);
    await Promise.all(
      models.map((model) => this.loader.retire(model).finally(() => this.#retiring.delete(model))),
    );
  }
}
