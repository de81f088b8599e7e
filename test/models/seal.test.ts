import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { copyFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ExternalData } from '../../src/models/external-data.js';
import { sealOf } from '../../src/models/seal.js';
import { failureOf } from '../support/lanes.js';
import { makeTempRoot, type TempRoot } from '../support/temp-root.js';

let root: TempRoot;
beforeEach(async () => {
  root = await makeTempRoot();
});
afterEach(() => root.remove());

const named = (...names: readonly string[]): Buffer =>
  Buffer.concat(
    names.flatMap((name) => [
      Buffer.from('some tensor \n\u0008location\u0012', 'latin1'),
      Buffer.from(name.length < 128 ? [name.length] : [(name.length & 0x7f) | 0x80, name.length >> 7]),
      Buffer.from(name),
    ]),
  );

describe('a seal', () => {
  it.each([
    ['is touched', (file: string) => utimes(file, 1, 1)],
    ['is written anew with the same content', (file: string) => writeFile(file, named('w.bin'))],
    [
      'is replaced by a copy',
      (file: string) => copyFile(file, `${file}.new`).then(() => rename(`${file}.new`, file)),
    ],
    ['is not alone any more', (file: string) => writeFile(`${file}.txt`, 'a note')],
  ])('holds when the file %s', async (_, change) => {
    const file = join(root.path, 'model.onnx');
    await writeFile(file, named('w.bin'));
    await writeFile(join(root.path, 'w.bin'), 'weights');
    const seal = await sealOf(file);
    await seal.requireSame();
    await change(file);
    await seal.requireSame();
    await seal.requireSame();
  });

  it.each([
    ['is overwritten', (file: string) => writeFile(file, named('x.bin'))],
    ['is gone', (file: string) => rm(file)],
    ['has other weights', (file: string) => writeFile(join(file, '../w.bin'), 'WEIGHTS')],
    ['has lost its weights', (file: string) => rm(join(file, '../w.bin'))],
  ])('is broken when the file %s, until it is as it was', async (_, change) => {
    const file = join(root.path, 'model.onnx');
    const write = async (): Promise<void> => {
      await writeFile(file, named('w.bin'));
      await writeFile(join(root.path, 'w.bin'), 'weights');
    };
    await write();
    const seal = await sealOf(file);
    await change(file);
    for (let asked = 0; asked < 2; asked++)
      expect(await failureOf(seal.requireSame())).toMatch(/^MODEL_LOAD_FAILED: .*model\.onnx: /);
    await write();
    await seal.requireSame();
  });

  it("can't be had of a file that is not there", async () => {
    expect(await failureOf(sealOf(join(root.path, 'none.onnx')))).toMatch(/^MODEL_LOAD_FAILED: .*ENOENT/);
  });
});

describe('names of external data', () => {
  const long = `${'weights/'.repeat(30)}w.bin`;
  const bytes = Buffer.concat([
    Buffer.alloc(50_000),
    named('a.bin', long, 'a.bin'),
    Buffer.alloc(9_000),
    named('b'),
  ]);

  it.each([bytes.length, 10_000, 97, 1])('are found in chunks of %d bytes', (size) => {
    const found = new ExternalData();
    // The long run of zeros only tests patience in small chunks.
    for (let at = size < 100 ? 49_900 : 0; at < bytes.length; at += size)
      found.look(bytes.subarray(at, at + size));
    expect(found.names).toEqual(['a.bin', long, 'b']);
  });

  it('that lead out of the folder, or are cut off, are none', () => {
    const found = new ExternalData();
    found.look(Buffer.concat([named('../x', '/etc/x', 'a/../../x', 'good'), named('cut').subarray(0, -1)]));
    expect(found.names).toEqual(['good']);
  });
});
