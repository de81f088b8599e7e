import { CarpoolError, fromWireError, toWireError, type WireError } from '../../errors.js';
import type { ServedModel } from '../served-model.js';
import { VersionGroup, type Loaded, type Undo } from './group.js';
import { besideDefault, defaultsOf, namedBeside, type VersionPolicy } from './policy.js';

/** What assembling asks of the loader. */
export interface VersionSource {
  /** version -> path; undefined where the path is a model itself, or nothing. */
  versionPaths(path: string): Promise<ReadonlyMap<string, string> | undefined>;
  /** See stampOf. @throws MODEL_LOAD_FAILED where that can't be told */
  stampOf(path: string): Promise<string>;
  /** @param version in place of the card's own */
  load(name: string, path: string, atOnce: boolean, version?: string): Promise<ServedModel>;
}

/** A version whose files can't be loaded, and how they looked then: not tried again until they look otherwise. */
export interface BadVersion {
  readonly stamp: string;
  readonly error: WireError;
}

export interface Assembly {
  readonly source: VersionSource;
  readonly name: string;
  readonly path: string;
  readonly policy: VersionPolicy;
  /** What serves now. */
  readonly old: VersionGroup | undefined;
  readonly atOnce: boolean;
  /** The first version that fails ends it all; else the others, and older ones, are taken. */
  readonly isStrict: boolean;
  /** Versions are opened anew though their files are the same: their settings are not. */
  readonly isFresh?: boolean;
  readonly bad: ReadonlyMap<string, BadVersion>;
}

export interface Assembled {
  readonly group: VersionGroup;
  readonly bad: ReadonlyMap<string, BadVersion>;
}

/**
 * Loads what a policy wants of the files that are there, keeping the versions whose files have not changed.
 * @throws what the loader throws for a version that must be there; MODEL_NOT_FOUND for one whose folder is not there
 */
export class Assembler {
  readonly #assembly: Assembly;
  readonly #loaded = new Map<string, Loaded>();
  readonly #bad = new Map<string, BadVersion>();
  #current: string | undefined;
  /** Opened by this one, to be closed where it fails. */
  readonly opened: ServedModel[] = [];

  constructor(assembly: Assembly) {
    this.#assembly = assembly;
  }

  async run(): Promise<Assembled> {
    const { source, path } = this.#assembly;
    // Before anything is read: what is written meanwhile looks otherwise to the next who looks.
    const stamp = await source.stampOf(path);
    const folders = await source.versionPaths(path);
    if (folders === undefined) await this.#plain(stamp);
    else {
      await this.#default(folders);
      await this.#beside(folders);
    }
    const { name, policy } = this.#assembly;
    const isVersioned = folders !== undefined;
    if (isVersioned) this.#requireLike();
    const loaded = this.#loaded;
    const undo = this.#undo(loaded, isVersioned);
    return {
      group: new VersionGroup({ name, path, stamp, policy, loaded, isVersioned, undo }),
      bad: this.#bad,
    };
  }

  /** A model without versions: always loaded anew, since somebody asks for it. */
  async #plain(stamp: string): Promise<void> {
    const { source, name, path, atOnce } = this.#assembly;
    const model = await source.load(name, path, atOnce);
    this.opened.push(model);
    this.#loaded.set(model.info.card.version, { model, path, stamp });
  }

  async #default(folders: ReadonlyMap<string, string>): Promise<void> {
    const { policy, isStrict } = this.#assembly;
    const there = [...folders.keys()];
    let first: Error | undefined;
    for (const version of defaultsOf(policy, there)) {
      try {
        await this.#obtain(version, folders);
        this.#current = version;
        return;
      } catch (error) {
        first ??= error instanceof Error ? error : fromWireError(toWireError(error));
        if (isStrict) break;
      }
    }
    throw first ?? notThere(this.#assembly, String(policy.serve), there);
  }

  async #beside(folders: ReadonlyMap<string, string>): Promise<void> {
    const { policy, old, isStrict } = this.#assembly;
    for (const version of besideDefault(policy, [...folders.keys()]))
      await this.#obtain(version, folders).catch((error: unknown) => {
        if (isStrict) throw error;
      });
    // What a rollback goes back to needs no load; where its folder is gone, so is it.
    for (const version of policy.keepPrevious && old !== undefined ? this.#before(old) : []) {
      const loaded = old?.parts.loaded.get(version);
      if (loaded !== undefined && folders.get(version) === loaded.path && !this.#loaded.has(version))
        this.#loaded.set(version, loaded);
    }
  }

  async #obtain(version: string, folders: ReadonlyMap<string, string>): Promise<void> {
    const { source, name, old, atOnce, isStrict, isFresh, bad } = this.#assembly;
    if (this.#loaded.has(version)) return;
    const path = folders.get(version);
    if (path === undefined) throw notThere(this.#assembly, version, [...folders.keys()]);
    const there = old?.parts.loaded.get(version);
    let stamp = '';
    try {
      stamp = await source.stampOf(path);
      if (there?.path === path && there.stamp === stamp && isFresh !== true) {
        this.#loaded.set(version, there);
        return;
      }
      const known = bad.get(version);
      if (!isStrict && known?.stamp === stamp) throw new CarpoolError(known.error.code, known.error.message);
      const model = await source.load(name, path, atOnce, version);
      this.opened.push(model);
      this.#loaded.set(version, { model, path, stamp });
    } catch (error) {
      this.#bad.set(version, { stamp, error: toWireError(error) });
      if (isStrict || there?.path !== path) throw error;
      // The new files are no good, or can't be looked at: what was read from the old ones goes on.
      this.#loaded.set(version, there);
    }
  }

  /** A change of what requests get can be undone; a reload of the same can't. */
  #undo(loaded: ReadonlyMap<string, Loaded>, isVersioned: boolean): Undo | undefined {
    const { old, policy } = this.#assembly;
    if (old?.parts.isVersioned !== true || !isVersioned || !policy.keepPrevious) return undefined;
    const undo = this.#isSame(old)
      ? old.parts.undo
      : { policy: old.parts.policy, current: old.currentVersion };
    return undo !== undefined && loaded.has(undo.current) ? undo : undefined;
  }

  /** Requests are read for one version and may be run by another: they must take the same. */
  #requireLike(): void {
    const { name, policy, isStrict } = this.#assembly;
    const current = this.#loaded.get(this.#current ?? '')?.model;
    if (current === undefined) return;
    for (const version of namedBeside(policy)) {
      const loaded = this.#loaded.get(version);
      if (loaded === undefined || inputsOf(loaded.model) === inputsOf(current)) continue;
      const error = new CarpoolError(
        'MODEL_LOAD_FAILED',
        `model '${name}': version ${version} can't share requests with version ${current.info.card.version}: expected ${inputsOf(current)}, got ${inputsOf(loaded.model)}`,
      );
      if (isStrict) throw error;
      this.#bad.set(version, { stamp: loaded.stamp, error: toWireError(error) });
      this.#loaded.delete(version);
    }
  }

  /** Versions that a rollback will need. */
  #before(old: VersionGroup): readonly string[] {
    const { undo } = old.parts;
    if (!this.#isSame(old)) return [old.currentVersion, ...namedBeside(old.parts.policy)];
    return undo === undefined ? [] : [undo.current, ...namedBeside(undo.policy)];
  }

  #isSame({ currentVersion, parts }: VersionGroup): boolean {
    return currentVersion === this.#current && parts.policy === this.#assembly.policy;
  }
}

const notThere = ({ path }: Assembly, version: string, there: readonly string[]): CarpoolError =>
  new CarpoolError(
    'MODEL_LOAD_FAILED',
    `${path}: expected a folder ${version}, which the version policy names; there: ${there.join(', ') || 'none'}`,
  );

const inputsOf = ({ info: { takesTexts, card, signature } }: ServedModel): string => {
  const inputs = signature.inputs.map((spec) => `${spec.name} ${spec.dtype}[${spec.shape.length}]`);
  return `${card.task}${takesTexts ? ' of texts' : ''}: ${inputs.join(', ')}`;
};
