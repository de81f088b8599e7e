import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../digest.js';
import { isGone, isLocked } from '../gone.js';

/** Deep enough for any export (`onnx/`, `1_Pooling/`) below the versions of a model. */
const DEEPEST = 4;

interface FoundFile {
  readonly path: string;
  readonly stamp: string;
}

/** What is asked of the disk. */
export interface Disk {
  stat(path: string): Promise<{
    isDirectory(): boolean;
    readonly size: number;
    readonly mtimeMs: number;
    readonly ctimeMs: number;
    readonly ino: number;
  }>;
  readdir(path: string): Promise<string[]>;
}

const DISK: Disk = { stat: (path) => stat(path), readdir: (path) => readdir(path) };

/** What stands for the content or the times of what is closed to us. */
const LOCKED = 'locked';

/**
 * Every file below, hidden ones left out. One that goes away meanwhile is not there: the next look sees it settled.
 * @throws Node's error where the disk does not say, and where `path` itself is closed to us
 */
const filesOf = async (path: string, disk: Disk, depth = 0): Promise<readonly FoundFile[]> => {
  try {
    const kind = await disk.stat(path);
    // Who writes a file in place can set its size and its mtime, not its ctime.
    const { size, mtimeMs, ctimeMs, ino } = kind;
    if (!kind.isDirectory()) return [{ path, stamp: `${size}:${mtimeMs}:${ctimeMs}:${ino}` }];
    if (depth > DEEPEST) return [];
    const found: FoundFile[] = [];
    for (const name of (await disk.readdir(path)).sort())
      if (!name.startsWith('.')) found.push(...(await filesOf(join(path, name), disk, depth + 1)));
    return found;
  } catch (error) {
    if (isGone(error)) return [];
    if (isLocked(error) && depth > 0) return [{ path, stamp: LOCKED }];
    throw error;
  }
};

/**
 * What the files of a folder, or one file, look like from outside: their names, sizes and times. Cheap, and another one
 * whenever a file has been written, replaced, or taken away.
 * @returns '' where there is nothing
 * @throws Node's error where that can't be told
 */
export const stampOf = async (path: string, disk: Disk = DISK): Promise<string> => {
  const files = await filesOf(path, disk);
  if (files.length === 0) return '';
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file.path}\0${file.stamp}\n`);
  return hash.digest('hex');
};

/** What is in the files: equal after a copy or a touch. Reads all of them. @throws as `stampOf` */
export const contentOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  for (const file of await filesOf(path, DISK)) hash.update(`${file.path}\0${await digestIn(file)}\n`);
  return hash.digest('hex');
};

const digestIn = (file: FoundFile): Promise<string> =>
  digestOf(file.path).catch((error: unknown) => {
    if (isGone(error)) return 'gone';
    if (isLocked(error)) return LOCKED;
    throw error;
  });
