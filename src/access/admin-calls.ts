import path from 'node:path';
import { CarpoolError, codeOf } from '../errors.js';
import type { Registry } from '../models/registry.js';
import type { ServedModel } from '../models/served-model.js';
import { requireRight, type Principal } from './principal.js';

interface Caller {
  readonly principal: Principal;
}

/**
 * Loads a model for a caller, who needs the right to manage its name, and to manage the folder that it lies in: else
 * somebody else's model could be served under a name of one's own.
 *
 * @throws CarpoolError FORBIDDEN, and as `Registry.load`
 */
export const loadFor = (
  registry: Registry,
  caller: Caller,
  name: string,
  from: string,
): Promise<ServedModel> => {
  requireRight(caller, 'manage', name);
  if (!caller.principal.mayAll('manage')) requireRight(caller, 'manage', folderIn(from));
  return registry.load(name, from);
};

/** @throws CarpoolError FORBIDDEN, and as `Registry.unload` */
export const unloadFor = async (registry: Registry, caller: Caller, name: string): Promise<void> => {
  requireRight(caller, 'manage', name);
  try {
    await registry.unload(name);
  } catch (error) {
    throw caller.principal.mayAll('manage') ? error : withoutNames(error, name);
  }
};

/** The registry's own message of a model that is not there names others, which may be somebody else's. */
export const withoutNames = (error: unknown, name: string): unknown =>
  codeOf(error) === 'MODEL_NOT_FOUND'
    ? new CarpoolError('MODEL_NOT_FOUND', `no model '${name.slice(0, 128)}'`)
    : error;

/** First part of a path below the model root; a file by itself counts as a folder of its name. */
const folderIn = (from: string): string =>
  path.posix
    .normalize(from)
    .split('/')[0]
    ?.replace(/\.onnx$/, '') ?? '';
