import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveInRoot } from '../../src/models/paths.js';
import { failureOf } from '../support/lanes.js';
import { makeTempRoot, type TempRoot } from '../support/temp-root.js';

let temp: TempRoot;
let root: string;
let outside: string;

beforeEach(async () => {
  temp = await makeTempRoot();
  for (const file of [
    'base/models/spam/model.onnx',
    'base/models/..odd/model.onnx',
    'base/secret/model.onnx',
    'base/models-2/x.onnx',
  ])
    await temp.write(file, file);
  root = join(temp.path, 'base/models');
  outside = join(temp.path, 'base/secret');
});
afterEach(() => temp.remove());

const resolve = (path: string, within = root): Promise<string> =>
  resolveInRoot(path, within, [join(temp.path, 'base'), within]);

describe('a path that a client names', () => {
  it.each([
    ['spam', 'spam'],
    ['spam/model.onnx', 'spam/model.onnx'],
    ['./spam/', 'spam'],
    ['models/spam', 'spam'],
    ['models', ''],
    ['.', ''],
    ['..odd', '..odd'],
  ])('%j is found below the root', async (path, found) => {
    expect(await resolve(path)).toBe(join(root, found));
  });

  it.each([
    ['../secret', /INVALID_REQUEST: path: '..' is not allowed, got "..\/secret"/],
    ['spam/../../secret', /INVALID_REQUEST: .*'..' is not allowed/],
    ['spam/..', /INVALID_REQUEST: .*'..' is not allowed/],
    ['..', /INVALID_REQUEST: .*'..' is not allowed/],
    ['spam\\..\\..\\secret', /INVALID_REQUEST: .*'..' is not allowed/],
    ['/etc/passwd', /INVALID_REQUEST: .*relative to the model root, got the absolute "\/etc\/passwd"/],
    ['C:\\models', /INVALID_REQUEST: .*absolute/],
    ['\\\\server\\share', /INVALID_REQUEST: .*absolute/],
    ['', /INVALID_REQUEST: path: expected a folder or an .onnx file, got ""/],
    ['spam\0.onnx', /INVALID_REQUEST: path: expected a folder/],
    ['secret', /INVALID_REQUEST: path: "secret" leads out of the model root/],
    ['secret/model.onnx', /INVALID_REQUEST: .*leads out of the model root/],
    // Its name only begins like the root's.
    ['models-2', /INVALID_REQUEST: .*leads out of the model root/],
    ['nothing/here', /MODEL_LOAD_FAILED: path: nothing is at "nothing\/here" under the model root/],
    ['spam/model.onnx/deeper', /MODEL_LOAD_FAILED: .*nothing is at/],
    ['x'.repeat(5_000), /MODEL_LOAD_FAILED: path: nothing is at "x{200}" under/],
  ])('%j is refused', async (path, failure) => {
    expect(await failureOf(resolve(path))).toMatch(failure);
  });

  it('may be a symlink that stays inside, not one that leads out', async () => {
    await symlink(join(root, 'spam'), join(root, 'alias'));
    await symlink(outside, join(root, 'leak'));
    await symlink('../../secret/model.onnx', join(root, 'spam/leak.onnx'));
    await symlink(join(root, 'nowhere'), join(root, 'dangling'));
    await symlink(join(root, 'loop'), join(root, 'loop'));
    expect(await resolve('alias/model.onnx')).toBe(join(root, 'spam/model.onnx'));
    for (const path of ['leak', 'leak/model.onnx', 'spam/leak.onnx'])
      expect(await failureOf(resolve(path))).toMatch(/^INVALID_REQUEST: .*leads out of the model root/);
    for (const path of ['dangling', 'loop'])
      expect(await failureOf(resolve(path))).toMatch(/^MODEL_LOAD_FAILED: path: nothing is at/);
  });

  it('is found where the root itself is a symlink', async () => {
    const linked = join(temp.path, 'linked');
    await symlink(root, linked);
    expect(await resolve('spam/model.onnx', linked)).toBe(join(root, 'spam/model.onnx'));
    expect(await failureOf(resolve('secret', linked))).toMatch(/^INVALID_REQUEST: .*leads out/);
  });

  it('is looked for in the second place when the first leads out', async () => {
    await temp.write('base/models/secret/model.onnx', 'inside');
    expect(await resolve('secret/model.onnx')).toBe(join(root, 'secret/model.onnx'));
  });

  it('is not found where there is no root', async () => {
    const failure = await failureOf(resolve('spam', join(temp.path, 'none')));
    expect(failure).toMatch(/^MODEL_LOAD_FAILED: the model root does not exist/);
  });
});
