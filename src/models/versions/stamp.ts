import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../digest.js';

/** Deep enough for any export (`onnx/`, `1_Pooling/`) below the versions of a model. */
const DEEPEST = 4;

interface FoundFile {
  readonly path: string;
  readonly stamp: string;
}

/** Every file below, hidden ones left out. One that goes away meanwhile is not there: the next look sees it settled. */
const filesOf = async (path: string, depth = 0): Promise<readonly FoundFile[]> => {
  const kind = await stat(path).catch(() => undefined);
  if (kind === undefined) return [];
  if (!kind.isDirectory()) return [{ path, stamp: `${kind.size}:${kind.mtimeMs}:${kind.ino}` }];
  if (depth > DEEPEST) return [];
  const names: string[] = await readdir(path).catch(() => []);
  const found: FoundFile[] = [];
  for (const name of names.sort())
    if (!name.startsWith('.')) found.push(...(await filesOf(join(path, name), depth + 1)));
  return found;
};

/**
 * What the files of a folder, or one file, look like from outside: their names, sizes and times. Cheap, and another one
 * whenever a file has been written, replaced, or taken away.
 * @returns '' where there is nothing
 */
export const stampOf = async (path: string): Promise<string> => {
  const files = await filesOf(path);
  if (files.length === 0) return '';
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file.path}\0${file.stamp}\n`);
  return hash.digest('hex');
};

/** What is in the files: equal after a copy or a touch. Reads all of them. */
export const contentOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  for (const file of await filesOf(path))
    hash.update(`${file.path}\0${await digestOf(file.path).catch(() => 'gone')}\n`);
  return hash.digest('hex');
};
