import type { Principal } from '../../access/principal.js';
import type { Registry } from '../../models/registry.js';
import { listModels } from '../../models/repository.js';

export type ModelState = 'READY' | 'UNAVAILABLE' | 'LOADING' | 'UNLOADING';

export interface IndexEntry {
  readonly name: string;
  readonly version?: string;
  readonly state: ModelState;
  readonly reason?: string;
}

/** Every model that is served, comes, goes, has failed, or lies in the model root, and that the caller may read. By name. */
export const repositoryIndex = async (
  registry: Registry,
  root: string,
  readyOnly: boolean,
  principal: Principal,
): Promise<readonly IndexEntry[]> => {
  const entries = new Map<string, IndexEntry>();
  for (const name of await listModels(root)) entries.set(name, { name, state: 'UNAVAILABLE' });
  for (const [name, { message }] of registry.failures)
    entries.set(name, { name, state: 'UNAVAILABLE', reason: message });
  for (const name of registry.loading) entries.set(name, { name, state: 'LOADING' });
  for (const { info } of registry.retiring)
    entries.set(info.name, { name: info.name, version: info.card.version, state: 'UNLOADING' });
  for (const { info } of registry.all)
    entries.set(info.name, { name: info.name, version: info.card.version, state: 'READY' });
  return [...entries.values()]
    .filter(({ name, state }) => (!readyOnly || state === 'READY') && principal.may('read', name))
    .sort((a, b) => a.name.localeCompare(b.name));
};
