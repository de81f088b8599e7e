import { realpath } from 'node:fs/promises';
import { isAbsolute, resolve, sep } from 'node:path';
import { CarpoolError } from '../errors.js';
import { fileErrorOf, isGone } from './gone.js';

/** True where `path` is `root` or below it; both absolute and resolved. */
const isInside = (root: string, path: string): boolean =>
  path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);

/**
 * A path that a client or a card names -> the real file or folder, always inside the model root: no absolute path, no
 * `..`, no symlink out of it.
 *
 * @param bases folders that `path` may be relative to, tried in order
 * @throws INVALID_REQUEST for a path that leaves the root, MODEL_LOAD_FAILED where nothing is there
 */
export const resolveInRoot = async (
  path: string,
  root: string,
  bases: readonly string[],
): Promise<string> => {
  const found = await findInRoot(path, root, bases);
  if (found !== undefined) return found;
  throw new CarpoolError('MODEL_LOAD_FAILED', `path: nothing is at ${shownOf(path)} under the model root`);
};

/**
 * As `resolveInRoot`.
 * @returns undefined where nothing is there
 * @throws INVALID_REQUEST for a path that leaves the root, MODEL_LOAD_FAILED where there is no root, or the disk does not say
 */
export const findInRoot = async (
  path: string,
  root: string,
  bases: readonly string[],
): Promise<string | undefined> => {
  const shown = shownOf(path);
  if (path === '' || path.includes('\0'))
    throw new CarpoolError('INVALID_REQUEST', `path: expected a folder or an .onnx file, got ${shown}`);
  if (isAbsolute(path) || /^[A-Za-z]:|^\\/.test(path))
    throw new CarpoolError(
      'INVALID_REQUEST',
      `path: expected one relative to the model root, got the absolute ${shown}`,
    );
  if (path.split(/[/\\]/).includes('..'))
    throw new CarpoolError('INVALID_REQUEST', `path: '..' is not allowed, got ${shown}`);

  const unreadable = (error: unknown): CarpoolError =>
    new CarpoolError('MODEL_LOAD_FAILED', `path: ${shown} can't be looked up: ${fileErrorOf(error)}`);
  const realRoot = await realpath(root).catch((error: unknown) => {
    if (!isGone(error)) throw unreadable(error);
    throw new CarpoolError(
      'MODEL_LOAD_FAILED',
      `the model root does not exist; create the folder that models.root names`,
    );
  });
  let left = false;
  let doubt: CarpoolError | undefined;
  for (const base of bases) {
    const real = await realpath(resolve(base, path)).catch((error: unknown) => {
      if (!isGone(error)) doubt ??= unreadable(error);
      return undefined;
    });
    if (real === undefined) continue;
    if (isInside(realRoot, real)) return real;
    left = true;
  }
  if (doubt !== undefined) throw doubt;
  if (left) throw new CarpoolError('INVALID_REQUEST', `path: ${shown} leads out of the model root`);
  return undefined;
};

/** Clients read this: where the root lies on this machine is none of their business. */
export const withoutRoot = async (message: string, root: string): Promise<string> => {
  const realRoot = await realpath(root).catch(() => root);
  return message.replaceAll(realRoot + sep, '').replaceAll(root + sep, '');
};

const shownOf = (path: string): string => JSON.stringify(path.slice(0, 200));
