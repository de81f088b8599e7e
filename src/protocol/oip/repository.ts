import { join } from 'node:path';
import type { Principal } from '../../access/principal.js';
import type { Registry } from '../../models/registry.js';
import { listModels } from '../../models/repository.js';
import { versionsIn } from '../../models/versions/folders.js';

export type ModelState = 'READY' | 'UNAVAILABLE' | 'LOADING' | 'UNLOADING';

export interface IndexEntry {
  readonly name: string;
  readonly version?: string;
  readonly state: ModelState;
  readonly reason?: string;
}

/**
 * Every version that is served, comes, goes or has failed, every other one in the folder of a model that is served, and
 * every other model in the root, that the caller may read. By name and version.
 */
export const repositoryIndex = async (
  registry: Registry,
  root: string,
  readyOnly: boolean,
  principal: Principal,
): Promise<readonly IndexEntry[]> => {
  const inRoot = await listModels(root);
  const onDisk = await Promise.all(
    inRoot.map(async (name) => ({ name, versions: await versionsIn(join(root, name)) })),
  );
  // From here on all is read at one moment.
  const entries = new Map<string, IndexEntry>();
  const put = (entry: IndexEntry): void => void entries.set(`${entry.name}\n${entry.version ?? ''}`, entry);
  const served = new Set([...registry.allVersions, ...registry.retiring].map(({ info }) => info.name));
  const unserved: IndexEntry[] = [
    ...inRoot.map((name) => ({ name, state: 'UNAVAILABLE' }) as const),
    ...[...registry.failures].map(([name, { message }]) => failed({ name }, message)),
    ...[...registry.loading].map((name) => ({ name, state: 'LOADING' }) as const),
  ];
  for (const entry of unserved) if (!served.has(entry.name)) put(entry);
  for (const { name, versions } of onDisk)
    if (served.has(name) && registry.pathOf(name) === name)
      for (const version of versions) put({ name, version, state: 'UNAVAILABLE' });
  for (const name of served)
    for (const [version, { error }] of registry.badVersions(name))
      put(failed({ name, version }, error.message));
  for (const { info } of registry.retiring)
    put({ name: info.name, version: info.card.version, state: 'UNLOADING' });
  for (const { info } of registry.allVersions)
    put({ name: info.name, version: info.card.version, state: 'READY' });
  return [...entries.values()]
    .filter(({ name, state }) => (!readyOnly || state === 'READY') && principal.may('read', name))
    .sort((a, b) => a.name.localeCompare(b.name) || Number(a.version) - Number(b.version));
};

const failed = (which: Pick<IndexEntry, 'name' | 'version'>, reason: string): IndexEntry => ({
  ...which,
  state: 'UNAVAILABLE',
  reason,
});
