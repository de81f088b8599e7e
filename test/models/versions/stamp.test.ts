import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contentOf, stampOf, type Disk } from '../../../src/models/versions/stamp.js';
import { failureOf } from '../../support/lanes.js';
import { makeTempRoot, type TempRoot } from '../../support/temp-root.js';

let root: TempRoot;
let folder: string;
beforeEach(async () => {
  root = await makeTempRoot();
  folder = join(root.path, 'm');
  await root.write('m/model.onnx', 'weights');
  await root.write('m/onnx/config.json', '{}');
});
afterEach(() => root.remove());

/** A disk on which one path fails. */
const failing = (path: string, code: string): Disk => {
  const check = (asked: string): void => {
    if (asked === join(folder, path)) throw Object.assign(new Error(code), { code });
  };
  return {
    stat: async (asked) => {
      check(asked);
      return stat(asked);
    },
    readdir: async (asked) => {
      check(asked);
      return readdir(asked);
    },
  };
};

describe('a stamp', () => {
  it('is another one after each change, and empty where nothing is', async () => {
    const seen = [await stampOf(folder)];
    const note = async (): Promise<void> => void seen.push(await stampOf(folder));
    await root.write('m/onnx/config.json', '{"a":1}');
    await note();
    await root.write('m/new.txt', '');
    await note();
    await rm(join(folder, 'new.txt'));
    await rm(join(folder, 'onnx'), { recursive: true });
    await note();
    expect(new Set(seen).size).toBe(4);
    expect(await stampOf(join(folder, 'none'))).toBe('');
    expect(await stampOf(join(folder, 'model.onnx/deeper'))).toBe('');
  });

  it('shows a file of the same size and time that was written in place', async () => {
    const file = join(folder, 'model.onnx');
    await utimes(file, 1, 1);
    const before = await stampOf(folder);
    const content = await contentOf(folder);
    await writeFile(file, 'WEIGHTS');
    await utimes(file, 1, 1);
    expect(await stampOf(folder)).not.toBe(before);
    expect(await contentOf(folder)).not.toBe(content);
  });

  it.each(['EMFILE', 'EIO', 'ESTALE', 'ENFILE'])(
    'is none at all where the disk says %s, wherever that is',
    async (code) => {
      for (const path of ['', 'model.onnx', 'onnx', 'onnx/config.json'])
        expect(await failureOf(stampOf(folder, failing(path, code)))).toContain(code);
    },
  );

  it('tells that something below is closed to us, but not what of the whole is', async () => {
    const whole = await stampOf(folder);
    const locked = await stampOf(folder, failing('onnx', 'EACCES'));
    expect(['', whole]).not.toContain(locked);
    expect(await stampOf(folder, failing('onnx', 'EACCES'))).toBe(locked);
    expect(await failureOf(stampOf(folder, failing('', 'EACCES')))).toContain('EACCES');
  });

  it('leaves out what goes away while it is taken', async () => {
    const without = failing('onnx', 'ENOENT');
    expect(['', await stampOf(folder)]).not.toContain(await stampOf(folder, without));
  });
});
