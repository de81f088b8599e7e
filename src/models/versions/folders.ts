import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isVersion } from '../../config/versions.js';
import { CARD, EXPORTED } from '../card-file.js';
import { unlessClosed } from '../gone.js';
import { findInRoot } from '../paths.js';
import { isMissing } from '../read-beside.js';
import type { ModelRoot } from '../repository.js';

/**
 * Does a folder look like a model: a card or an ONNX file? One that is closed to us (a volume's lost+found) does not.
 * @throws Node's error where the disk does not say
 */
export const looksLikeModel = async (folder: string): Promise<boolean> => {
  const files = (await unlessClosed(readdir(folder))) ?? [];
  if (files.some((file) => file === CARD || file.endsWith('.onnx'))) return true;
  return files.includes('onnx') && !(await isMissing(join(folder, EXPORTED)));
};

/** The numeric folders of a folder that is no model itself, the oldest first; empty for any other. @throws likewise */
export const versionsIn = async (folder: string): Promise<readonly string[]> => {
  if (await looksLikeModel(folder)) return [];
  const names = (await unlessClosed(readdir(folder))) ?? [];
  const versions: string[] = [];
  for (const name of names.filter(isVersion)) {
    const kind = await unlessClosed(stat(join(folder, name)));
    if (kind?.isDirectory() === true) versions.push(name);
  }
  return versions.sort((a, b) => Number(a) - Number(b));
};

/**
 * The versions of what a path names: version -> path.
 * @returns undefined where it is a model itself, or nothing at all, which loading it says
 */
export const versionPaths = async (
  path: string,
  where: ModelRoot,
): Promise<ReadonlyMap<string, string> | undefined> => {
  const found = await findInRoot(path, where.root, [where.baseDir, where.root]).catch(() => undefined);
  const versions = found === undefined ? [] : await versionsIn(found);
  if (versions.length === 0) return undefined;
  return new Map(versions.map((version) => [version, `${path}/${version}`]));
};
