import path from 'node:path';
import { CarpoolError, codeOf } from '../errors.js';
import type { Registry } from '../models/registry.js';
import type { ServedModel } from '../models/served-model.js';
import { forbidden, requireRight, type Principal } from './principal.js';

interface Caller {
  readonly principal: Principal;
}

/**
 * Loads a model for a caller, who needs the right to manage its name. Who may not manage all may choose only what lies
 * directly in the model root and is theirs, too: else somebody else's model could be served under a name of one's own.
 *
 * @param from the caller's choice; undefined = where it was last loaded from
 * @throws CarpoolError FORBIDDEN, and as `Registry.load`
 */
export const loadFor = (
  registry: Registry,
  caller: Caller,
  name: string,
  from: string | undefined,
): Promise<ServedModel> => {
  requireRight(caller, 'manage', name);
  if (from !== undefined && !caller.principal.mayAll('manage')) requireOwn(caller, from);
  return registry.load(name, from ?? registry.pathOf(name));
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

/** A longer path may start from another folder than the model root (`models/secret` is no folder of `m*`). */
const requireOwn = (caller: Caller, from: string): void => {
  const name = path.posix.normalize(from).replace(/\/$|\.onnx$/, '');
  if (/[/\\]/.test(name)) throw forbidden(caller.principal, 'locked');
  requireRight(caller, 'manage', name);
};
