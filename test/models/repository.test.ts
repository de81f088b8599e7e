import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listModels, readModel, type ModelSource } from '../../src/models/repository.js';
import { failureOf, fixture } from '../support/lanes.js';
import { makeTempRoot, type TempRoot } from '../support/temp-root.js';

let root: TempRoot;
beforeEach(async () => {
  root = await makeTempRoot();
});
afterEach(() => root.remove());

const read = (path: string): Promise<ModelSource> =>
  readModel('m', path, { root: root.path, baseDir: root.path });

describe('the models of a root', () => {
  it('are its folders with a card or an ONNX file, sorted', async () => {
    await root.copy('multi_io', 'b/net.onnx');
    await root.write('a/model.yaml', '');
    await root.write('c/README.md', '');
    await root.write('.git/model.yaml', '');
    await root.copy('multi_io', 'loose.onnx');
    expect(await listModels(root.path)).toEqual(['a', 'b']);
    expect(await listModels(join(root.path, 'none'))).toEqual([]);
  });

  it('that are shipped can be read, digests and all', async () => {
    const shipped = fileURLToPath(new URL('../../../models', import.meta.url));
    expect(await listModels(shipped)).toEqual(['fraud_detector', 'spam']);
    const where = { root: shipped, baseDir: shipped };
    const spam = await readModel('spam', 'spam', where);
    expect(spam).toMatchObject({ labels: ['ham', 'spam'], card: { task: 'text-classification' } });
    expect(spam.tokenizer?.json.length).toBeGreaterThan(1000);
    const fraud = await readModel('fraud_detector', 'fraud_detector', where);
    expect(fraud.card.classifier).toMatchObject({ flag: 'is_fraud', positive: 1 });
    expect(fraud.tokenizer).toBeUndefined();
  });
});

describe('a model folder', () => {
  it('needs no card where it has one ONNX file, or one of the usual name', async () => {
    await root.copy('multi_io', 'm/net.onnx');
    const source = await read('m');
    expect(source).toMatchObject({
      name: 'm',
      file: join(root.path, 'm/net.onnx'),
      card: { task: 'tensor' },
    });
    await root.copy('leaky', 'm/model.onnx');
    expect((await read('m')).file).toBe(join(root.path, 'm/model.onnx'));
    // A file named by itself is that file.
    expect((await read('m/net.onnx')).file).toBe(join(root.path, 'm/net.onnx'));
  });

  it('with several ONNX files and no card names them', async () => {
    await root.copy('multi_io', 'm/one.onnx');
    await root.copy('multi_io', 'm/two.onnx');
    expect(await failureOf(read('m'))).toBe(
      `MODEL_LOAD_FAILED: ${root.path}/m: several .onnx files (one.onnx, two.onnx) and no model.yaml that names one`,
    );
    await root.write('m/model.yaml', 'file: two.onnx');
    expect((await read('m')).file).toBe(join(root.path, 'm/two.onnx'));
    // The card speaks for its own file only.
    await root.write('m/model.yaml', 'file: two.onnx\nversion: "7"');
    expect((await read('m/two.onnx')).card.version).toBe('7');
    expect((await read('m/one.onnx')).card.version).toBe('1');
  });

  it('without any model, or what is no model, is refused', async () => {
    await root.write('m/README.md', '');
    expect(await failureOf(read('m'))).toBe(
      `MODEL_LOAD_FAILED: ${root.path}/m: no .onnx file and no model.yaml`,
    );
    expect(await failureOf(read('m/README.md'))).toMatch(
      /^MODEL_LOAD_FAILED: README.md: expected a folder or an/,
    );
    execFileSync('mkfifo', [join(root.path, 'pipe.onnx')]);
    expect(await failureOf(read('pipe.onnx'))).toMatch(
      /^MODEL_LOAD_FAILED: pipe.onnx: expected a folder or an/,
    );
    expect(await failureOf(read('../m'))).toMatch(/^INVALID_REQUEST/);
  });

  it('gives texts their labels and tokenizer', async () => {
    await root.copy('tiny_text', 'm/model.onnx');
    await root.write('m/model.yaml', 'task: text-classification\ntext: {tokenizer: tok.json}');
    await root.write('m/tok.json', '{"tok": 1}');
    await root.write('m/config.json', '{"id2label": {"0": "no", "1": "yes"}}');
    expect(await read('m')).toMatchObject({ labels: ['no', 'yes'], tokenizer: { json: '{"tok": 1}' } });
    await root.write('m/tokenizer_config.json', '{}');
    await root.write(
      'm/model.yaml',
      'task: text-classification\nlabels: [a, b]\ntext: {tokenizer: tok.json}',
    );
    expect(await read('m')).toMatchObject({ labels: ['a', 'b'], tokenizer: { configJson: '{}' } });
  });
});

describe('a card', () => {
  const refused = async (yaml: string): Promise<string> => {
    await root.copy('multi_io', 'm/model.onnx');
    await root.write('m/model.yaml', yaml);
    const failure = await failureOf(read('m'));
    expect(failure).toMatch(/^MODEL_LOAD_FAILED: /);
    // The file, then the key.
    expect(failure).toContain(`${root.path}/m/model.yaml: `);
    return failure.split('model.yaml: ')[1] ?? '';
  };

  it.each([
    ['tsk: tensor', /tsk/],
    ['task: tensors', /^task: .*"tensor"/],
    ['batching: {maxBatch: 0}', /^batching\.maxBatch: .*1/],
    ['text: {maxTokens: many}', /^text\.maxTokens: .*number/],
    ['classifier: {predictions: p, probabilities: q, flag: "no good"}', /^classifier\.flag: /],
    ['sha256: abc', /^sha256: /],
    ['labels: []', /^labels: /],
    ['- a list', /^\(root\): .*object/],
    ['a: [', /line 1/],
    ['task: tensor\ntask: tensor', /unique/],
    ['file: none.onnx', /^file: path: nothing is at "none.onnx"/],
    ['file: ../other/model.onnx', /^file: path: '..' is not allowed/],
    ['file: /etc/hostname', /^file: path: .*absolute/],
    ['task: text-classification', /^text\.tokenizer: path: nothing is at "tokenizer.json"/],
  ])('%j is refused, file and key named', async (yaml, problem) => {
    expect(await refused(yaml)).toMatch(problem);
  });

  it('whose files lead out of the root is refused', async () => {
    await root.write('m/README.md', '');
    await symlink(fixture('multi_io'), join(root.path, 'm/out.onnx'));
    expect(await refused('file: out.onnx')).toMatch(/^file: path: "out.onnx" leads out of the model root/);
  });

  it.each(['model.yaml', 'config.json', 'tokenizer_config.json', 'tokenizer.json'])(
    'or any other file that is a link out of the root is refused, unseen: %s',
    async (file) => {
      const outside = await makeTempRoot();
      try {
        await outside.write('secret', 'root:[x:hush');
        await root.copy('tiny_text', 'm/model.onnx');
        if (file !== 'model.yaml') await root.write('m/model.yaml', 'task: text-classification');
        if (file !== 'tokenizer.json') await root.write('m/tokenizer.json', '{}');
        await symlink(join(outside.path, 'secret'), join(root.path, 'm', file));
        const failure = await failureOf(read('m'));
        expect(failure).toMatch(/^MODEL_LOAD_FAILED: .* leads out of the model root$/);
        expect(failure).toContain(file);
        expect(failure).not.toContain('hush');
        // Inside of the root a link is as good as a file.
        await rm(join(root.path, 'm', file));
        const text = file === 'model.yaml' ? 'task: text-classification' : '{"id2label": {}}';
        await root.write('elsewhere', text);
        await symlink('../elsewhere', join(root.path, 'm', file));
        expect((await read('m')).card.task).toBe('text-classification');
        await rm(join(root.path, 'elsewhere'));
        expect(await failureOf(read('m'))).toMatch(/^MODEL_LOAD_FAILED: .*nothing is at/);
      } finally {
        await outside.remove();
      }
    },
  );

  it('that is no YAML is not quoted: the message may go to a client', async () => {
    expect(await refused('a: [hush')).not.toContain('hush');
  });

  it('that is there but can not be read is not passed over', async () => {
    await root.copy('multi_io', 'm/model.onnx');
    await root.write('m/model.yaml/inner', '');
    expect(await failureOf(read('m'))).toMatch(/^MODEL_LOAD_FAILED: .*model\.yaml: EISDIR/);
  });

  it('may be empty', async () => {
    await root.copy('multi_io', 'm/model.onnx');
    await root.write('m/model.yaml', '# nothing\n');
    expect((await read('m')).card).toMatchObject({ task: 'tensor', file: 'model.onnx' });
  });

  it('with a digest lets only that file in', async () => {
    await root.copy('multi_io', 'm/model.onnx');
    const digest = createHash('sha256')
      .update(await readFile(fixture('multi_io')))
      .digest('hex');
    await root.write('m/model.yaml', `sha256: ${digest}`);
    expect((await read('m')).card.sha256).toBe(digest);
    await root.copy('leaky', 'm/model.onnx');
    expect(await failureOf(read('m'))).toMatch(
      /^MODEL_LOAD_FAILED: .*model\.onnx: sha256 is [0-9a-f]{64}, the card says /,
    );
    expect(await failureOf(read('m/model.onnx'))).toMatch(/sha256 is/);
  });
});
