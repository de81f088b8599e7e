import { CarpoolError } from '../../errors.js';
import type { ServedModel } from '../served-model.js';
import { defaultsOf, type ShadowPolicy, type VersionPolicy } from './policy.js';
import { shareOf } from './share-of.js';

/** A loaded version, and the files that it was read from. */
export interface Loaded {
  readonly model: ServedModel;
  /** Relative to the model root or to the config file. */
  readonly path: string;
  /** See stampOf: differs when the files have changed. */
  readonly stamp: string;
}

/** What served before the last change. */
export interface Undo {
  readonly policy: VersionPolicy;
  readonly current: string;
}

export interface GroupParts {
  readonly name: string;
  /** What it was loaded from. */
  readonly path: string;
  /** How all that lies there looked when it was loaded, see stampOf. */
  readonly stamp: string;
  /** The folder has versions; else it is a model itself. */
  readonly isVersioned: boolean;
  readonly policy: VersionPolicy;
  /** By version; never empty. */
  readonly loaded: ReadonlyMap<string, Loaded>;
  readonly undo?: Undo | undefined;
}

/**
 * The versions of one model at one moment. Never changed, only replaced whole: whoever holds one sees no half of a
 * change.
 */
export class VersionGroup {
  readonly parts: GroupParts;
  /** Answers requests that name no version. */
  readonly current: ServedModel;
  readonly shadow: (ShadowPolicy & { readonly model: ServedModel }) | undefined;
  /** Callers in these places are answered by `model`. The place of a version that is missing stays empty. */
  readonly #splits: readonly { readonly from: number; readonly upTo: number; readonly model: ServedModel }[];

  /** @throws RangeError where nothing is loaded that its policy takes for the default: whoever loads sees to that */
  constructor(parts: GroupParts) {
    const { name, policy, loaded } = parts;
    this.parts = parts;
    const usual = defaultsOf(policy, [...loaded.keys()]).find((version) => loaded.has(version));
    const [first] = loaded.values();
    const current = parts.isVersioned ? loaded.get(usual ?? '') : first;
    if (current === undefined) throw new RangeError(`${name} without a default version: a bug in versions/`);
    this.current = current.model;
    let upTo = 0;
    this.#splits = [...policy.split].flatMap(([version, share]) => {
      const from = upTo;
      upTo += share;
      const model = loaded.get(version)?.model;
      if (model === undefined || model === this.current || share === 0) return [];
      return [{ from, upTo, model }];
    });
    const shadow = policy.shadow === undefined ? undefined : loaded.get(policy.shadow.version)?.model;
    if (policy.shadow !== undefined && shadow !== undefined && shadow !== this.current)
      this.shadow = { ...policy.shadow, model: shadow };
  }

  get name(): string {
    return this.parts.name;
  }

  get currentVersion(): string {
    return this.current.info.card.version;
  }

  /** Oldest first. */
  get models(): readonly ServedModel[] {
    return [...this.parts.loaded].sort(([a], [b]) => Number(a) - Number(b)).map(([, { model }]) => model);
  }

  /** Callers get different versions. */
  get isSplit(): boolean {
    return this.#splits.length > 0;
  }

  /** The version for a caller that names none; always the same one while the policy stands. */
  forCaller(caller: string): ServedModel {
    if (this.#splits.length === 0) return this.current;
    const place = shareOf(caller, this.name);
    return this.#splits.find(({ from, upTo }) => from <= place && place < upTo)?.model ?? this.current;
  }

  /** @throws CarpoolError MODEL_NOT_FOUND */
  version(version: string): ServedModel {
    const loaded = this.parts.loaded.get(version);
    if (loaded !== undefined) return loaded.model;
    const there = this.models.map(({ info }) => info.card.version).join(', ');
    throw new CarpoolError(
      'MODEL_NOT_FOUND',
      `model '${this.name}' has no version '${version.slice(0, 128)}'; loaded: ${there}`,
    );
  }
}

/** What a version is there for: `default`, `split`, `shadow`; empty: it answers only who names it. */
export const rolesOf = (group: VersionGroup, version: string): readonly string[] => {
  const { policy } = group.parts;
  return [
    ...(version === group.currentVersion ? ['default'] : []),
    ...(version !== group.currentVersion && policy.split.has(version) ? ['split'] : []),
    ...(version === group.shadow?.version ? ['shadow'] : []),
  ];
};
