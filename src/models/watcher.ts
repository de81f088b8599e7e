import type { Clock } from '#batcher';
import { access } from 'node:fs/promises';
import { messageOf } from '../errors.js';
import { listModels } from './repository.js';
import { contentOf, stampOf } from './versions/stamp.js';

/** Of the registry. */
export interface WatchedModels {
  readonly groups: readonly { readonly name: string }[];
  /** Names only. */
  readonly failures: ReadonlyMap<string, unknown>;
  /** How the files of a served name looked when it was loaded, see stampOf. */
  stampOf(name: string): string | undefined;
  pathOf(name: string): string;
  refresh(name: string): Promise<unknown>;
  drop(name: string): Promise<void>;
}

export interface WatcherDeps {
  readonly registry: WatchedModels;
  /** Real path of what a path names; undefined where nothing is. @throws where that can't be told */
  readonly locate: (path: string) => Promise<string | undefined>;
  readonly clock: Clock;
  /** Absolute folder of the models. */
  readonly root: string;
  /** Names that may be served. */
  readonly wanted: () => '*' | readonly string[];
  readonly onChange: (what: 'loaded' | 'unloaded', model: string) => void;
  readonly onFault: (model: string, reason: string) => void;
  /** Its files, or the root ('') can't be read now, said once until they can: what serves goes on. */
  readonly onUnreadable: (model: string, reason: string) => void;
}

interface Seen {
  /** See stampOf; '' = not there. */
  readonly stamp: string;
  /** See contentOf; undefined where it was never read. */
  readonly content?: string | undefined;
}

/** Files that change are looked at again this soon where nothing is polled. */
const SETTLE_MS = 1_000;
const MOST_LOOKS = 60;

/**
 * Keeps what is served like the folders of the model root: new ones are loaded, changed ones reloaded, removed ones
 * unloaded. A change counts when two looks in a row see the same, so that no half-copied file is opened, and only if the
 * content is another. Each is acted upon once: what failed is left until its files change again; what somebody unloaded,
 * until somebody loads it or its folder comes anew.
 */
export class Watcher {
  readonly #deps: WatcherDeps;
  /** As acted upon. */
  readonly #done = new Map<string, Seen>();
  /** As it looked the last time, where that is not acted upon yet. */
  readonly #pending = new Map<string, string>();
  readonly #unreadable = new Set<string>();
  #intervalMs = 0;
  #cancel: (() => void) | undefined;
  #endPause: (() => void) | undefined;
  #looking: Promise<boolean> | undefined;
  #isClosed = false;

  constructor(deps: WatcherDeps) {
    this.#deps = deps;
  }

  /** Takes what is there for acted upon: before the models are loaded, so that no change is missed. */
  async start(): Promise<void> {
    for (const [name, stamp] of await this.#stamps()) this.#done.set(name, { stamp });
  }

  /** Looks again and again. @param intervalMs 0 = only when told */
  every(intervalMs: number): void {
    this.#intervalMs = intervalMs;
    this.#arm();
    if (intervalMs > 0) void this.#readContents();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#endPause?.();
  }

  /** Looks until nothing changes any more, at most a minute. */
  async lookNow(): Promise<void> {
    for (let looks = 0; looks < MOST_LOOKS && !this.#isClosed; looks++) {
      if (!(await this.look())) return;
      const { clock } = this.#deps;
      await new Promise<void>((resolve) => {
        const cancel = clock.callAt(clock.now() + SETTLE_MS, resolve);
        this.#endPause = () => {
          cancel();
          resolve();
        };
      });
    }
  }

  /** One look. @returns whether something is still changing */
  look(): Promise<boolean> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #look(): Promise<boolean> {
    // A volume that is not mounted is no reason to unload everything.
    const isThere = await access(this.#deps.root).then(
      () => true,
      () => false,
    );
    if (!isThere) return false;
    for (const [name, stamp] of await this.#stamps()) {
      if (this.#isClosed) return false;
      if (this.#done.get(name)?.stamp === stamp) this.#pending.delete(name);
      else if (this.#pending.get(name) === stamp) {
        this.#pending.delete(name);
        await this.#act(name, stamp);
      } else this.#pending.set(name, stamp);
    }
    return this.#pending.size > 0;
  }

  /** Of every name that is served or lies in the root: how its files look, where the disk says so. */
  async #stamps(): Promise<ReadonlyMap<string, string>> {
    const { registry, root } = this.#deps;
    const inRoot = (await this.#read('', () => listModels(root))) ?? [];
    const known = [...registry.groups.map((group) => group.name), ...registry.failures.keys()];
    const names = new Set([...inRoot.filter(this.#isListed), ...known, ...this.#done.keys()]);
    const stamps = new Map<string, string>();
    for (const name of names) {
      const stamp = await this.#read(name, () => this.#stampOf(name));
      if (stamp !== undefined) stamps.set(name, stamp);
    }
    return stamps;
  }

  /** @returns undefined where the disk does not say: no reason to do anything */
  async #read<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      const value = await work();
      this.#unreadable.delete(name);
      return value;
    } catch (error) {
      if (!this.#unreadable.has(name)) this.#deps.onUnreadable(name, messageOf(error));
      this.#unreadable.add(name);
      return undefined;
    }
  }

  /** So that a touch of a file is seen to be one. */
  async #readContents(): Promise<void> {
    for (const [name, { stamp, content }] of [...this.#done]) {
      if (this.#isClosed) return;
      if (content !== undefined || stamp === '') continue;
      const read = await this.#read(name, () => this.#contentOf(name));
      const now = await this.#read(name, () => this.#stampOf(name));
      if (now === stamp && this.#done.get(name)?.stamp === stamp)
        this.#done.set(name, { stamp, content: read });
    }
  }

  async #act(name: string, stamp: string): Promise<void> {
    const { registry, onChange, onFault } = this.#deps;
    const before = this.#done.get(name);
    try {
      if (stamp === '') {
        this.#done.delete(name);
        if (!this.#isServed(name)) return;
        await registry.drop(name);
        onChange('unloaded', name);
        return;
      }
      if (!this.#isServed(name) && !this.#mayLoad(name, before === undefined)) {
        this.#done.set(name, { stamp });
        return;
      }
      const content = await this.#read(name, () => this.#contentOf(name));
      if (content === undefined || this.#isClosed) return;
      this.#done.set(name, { stamp, content });
      // A copy, a touch, or somebody has loaded just these files.
      const isKnown = before?.content === content || registry.stampOf(name) === stamp;
      if (isKnown && this.#isServed(name)) return;
      await registry.refresh(name);
      onChange('loaded', name);
    } catch (error) {
      if (!this.#isClosed) onFault(name, messageOf(error));
    }
  }

  /** What was there and is not served was unloaded by somebody, unless it could not be loaded. */
  #mayLoad(name: string, isNew: boolean): boolean {
    return this.#isListed(name) && (isNew || this.#deps.registry.failures.has(name));
  }

  readonly #isListed = (name: string): boolean => {
    const names = this.#deps.wanted();
    return names === '*' || names.includes(name);
  };

  #isServed(name: string): boolean {
    return this.#deps.registry.groups.some((group) => group.name === name);
  }

  async #stampOf(name: string): Promise<string> {
    const path = await this.#locate(name);
    return path === undefined ? '' : stampOf(path);
  }

  async #contentOf(name: string): Promise<string | undefined> {
    const path = await this.#locate(name);
    return path === undefined ? undefined : contentOf(path);
  }

  #locate(name: string): Promise<string | undefined> {
    return this.#deps.locate(this.#deps.registry.pathOf(name));
  }

  #arm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#intervalMs === 0 || this.#isClosed) return;
    const { clock } = this.#deps;
    this.#cancel = clock.callAt(clock.now() + this.#intervalMs, () => {
      void this.look()
        .catch((error: unknown) => this.#deps.onFault('', messageOf(error)))
        .finally(() => this.#arm());
    });
  }
}
