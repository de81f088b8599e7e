import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fingerprintOf, isUnchanged } from '../../src/cache/fingerprint.js';
import { cardSchema } from '../../src/models/card.js';
import type { ModelSource } from '../../src/models/repository.js';
import { tempFolder, type TempFolder } from '../support/start-gateway.js';

let folder: TempFolder;
let source: ModelSource;
const put = (name: string, text: string): Promise<void> => writeFile(path.join(folder.path, name), text);

beforeEach(async () => {
  folder = await tempFolder();
  await put('model.onnx', 'weights');
  await put('model.onnx_data', 'more weights');
  const file = path.join(folder.path, 'model.onnx');
  source = { name: 'm', file, card: cardSchema.parse({}), tokenizer: { json: '{}' } };
});
afterEach(() => folder.remove());

const digest = async (of = source, environment = ['1.30.0', 'cpu']): Promise<string> =>
  (await fingerprintOf(of, environment)).digest;

describe('the fingerprint of a version', () => {
  it('changes with everything that its numbers depend on', async () => {
    const digests = [await digest()];
    digests.push(await digest(source, ['1.31.0', 'cpu']), await digest(source, ['1.30.0', 'cuda', 'cpu']));
    digests.push(await digest({ ...source, card: cardSchema.parse({ selfTest: { tolerance: 1 } }) }));
    digests.push(await digest({ ...source, tokenizer: { json: '{"a":1}' } }));
    await put('model.onnx_data', 'MORE weights');
    digests.push(await digest());
    await put('model.onnx', 'WEIGHTS');
    digests.push(await digest());
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('is the same for the same files elsewhere, whatever other models lie beside them', async () => {
    const elsewhere = await tempFolder();
    const file = path.join(elsewhere.path, 'model.onnx');
    await writeFile(file, 'weights');
    await writeFile(path.join(elsewhere.path, 'model.onnx_data'), 'more weights');
    await writeFile(path.join(elsewhere.path, 'other.onnx'), 'x');
    await mkdir(path.join(elsewhere.path, 'folder'));
    expect(await digest({ ...source, name: 'another', file })).toBe(await digest());
    await elsewhere.remove();
  });

  it('knows whether its files are still those', async () => {
    const fingerprint = await fingerprintOf(source, []);
    expect(await isUnchanged(source, fingerprint)).toBe(true);
    await put('model.onnx_data', 'other weights');
    expect(await isUnchanged(source, fingerprint)).toBe(false);
    await folder.remove();
    expect(await isUnchanged(source, fingerprint)).toBe(false);
  });
});
