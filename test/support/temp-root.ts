import { copyFile, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fixture } from './lanes.js';

/** A folder for the length of one test. */
export interface TempRoot {
  /** Real path. */
  readonly path: string;
  /** Writes a text file, its folders too; relative to the root. */
  write(file: string, text: string): Promise<void>;
  /** Copies a fixture model there. */
  copy(name: string, file: string): Promise<void>;
  remove(): Promise<void>;
}

export const makeTempRoot = async (): Promise<TempRoot> => {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'carpool-test-')));
  const place = async (file: string): Promise<string> => {
    const full = join(path, file);
    await mkdir(dirname(full), { recursive: true });
    return full;
  };
  return {
    path,
    write: async (file, text) => writeFile(await place(file), text),
    copy: async (name, file) => copyFile(fixture(name), await place(file)),
    remove: () => rm(path, { recursive: true, force: true }),
  };
};
