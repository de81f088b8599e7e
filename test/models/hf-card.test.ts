import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { foundCard } from '../../src/models/hf-card.js';
import type { HfFiles } from '../../src/models/hf-files.js';
import { listModels, readModel, type ModelSource } from '../../src/models/repository.js';
import { refusal } from '../protocol/support.js';
import { failureOf } from '../support/lanes.js';
import { makeTempRoot, type TempRoot } from '../support/temp-root.js';

const files = (config: HfFiles['config'], more: Partial<HfFiles> = {}): HfFiles => ({
  config,
  hasTokenizer: true,
  ...more,
});
const module = (type: string): { type: string } => ({ type: `sentence_transformers.models.${type}` });

describe('the card that the files of an export make', () => {
  it.each<[string, HfFiles, string | undefined]>([
    ['a classifier', files({ architectures: ['BertForSequenceClassification'] }), 'text-classification'],
    [
      'one label ranks',
      files({ architectures: ['XLMRobertaForSequenceClassification'] }, { labels: ['LABEL_0'] }),
      'rerank',
    ],
    [
      'one label of a regression does not',
      files(
        { architectures: ['BertForSequenceClassification'], problem_type: 'regression' },
        { labels: ['x'] },
      ),
      'text-classification',
    ],
    ['entities', files({ architectures: ['RobertaForTokenClassification'] }), 'token-classification'],
    ['a bare encoder', files({ architectures: ['BertModel'] }), 'embedding'],
    ['sentence-transformers', files({}, { modules: [module('Transformer')] }), 'embedding'],
    ['what we do not know', files({ architectures: ['BertForMaskedLM'] }), undefined],
    [
      'texts without a tokenizer',
      files({ architectures: ['BertModel'] }, { hasTokenizer: false }),
      undefined,
    ],
  ])('task: %s', (_, found, task) => {
    expect(foundCard(found).task).toBe(task);
  });

  it.each<[string, HfFiles, number]>([
    ['positions', files({ max_position_embeddings: 512, model_type: 'bert' }), 512],
    ['RoBERTa counts behind the padding', files({ max_position_embeddings: 514, model_type: 'roberta', pad_token_id: 1 }), 512], // prettier-ignore
    [
      'the tokenizer, where it means less',
      files({ max_position_embeddings: 512 }, { modelMaxLength: 128 }),
      128,
    ],
    [
      'not what transformers writes for none',
      files({ max_position_embeddings: 512 }, { modelMaxLength: 1e30 }),
      512,
    ],
    [
      'sentence-transformers before the tokenizer',
      files({}, { modelMaxLength: 512, maxSeqLength: 256 }),
      256,
    ],
    [
      'never more than there are positions',
      files({ max_position_embeddings: 128 }, { maxSeqLength: 256 }),
      128,
    ],
    ['the truncation baked in, where nothing else says anything', files({}, { bakedLength: 100 }), 100],
    ['not where something does', files({}, { modelMaxLength: 512, bakedLength: 100 }), 512],
    ['the usual one', files({}), 512],
  ])('limit: %s', (_, found, maxTokens) => {
    expect(foundCard(found).text).toEqual({ maxTokens });
  });

  it.each([
    ['regression', 'none'],
    ['multi_label_classification', 'sigmoid'],
    ['single_label_classification', undefined],
  ] as const)('%s: activation %s', (problem_type, activation) => {
    expect(foundCard(files({ problem_type })).activation).toBe(activation);
  });

  it('pools as the folder says, a mean else, and refuses what is not run', () => {
    const modules = ['Transformer', 'Pooling', 'Normalize'].map(module);
    const embedding = (more: Partial<HfFiles>): unknown =>
      foundCard(files({}, { modules, ...more })).embedding;
    expect(embedding({ pooling: { pooling_mode_cls_token: true } })).toEqual({
      pooling: 'cls',
      normalize: true,
    });
    expect(embedding({ pooling: { pooling_mode: 'max' } })).toEqual({ pooling: 'max', normalize: true });
    expect(embedding({ modules: [module('Transformer')] })).toEqual({ pooling: 'mean', normalize: false });
    expect(refusal(() => embedding({ modules: [...modules, module('Dense')] })).message).toContain(
      'got Dense',
    );
    const both = { pooling_mode_cls_token: true, pooling_mode_max_tokens: true };
    expect(refusal(() => embedding({ pooling: both })).message).toContain('got cls and max');
  });

  it('says nothing without a config.json', () => {
    expect(foundCard({ hasTokenizer: true })).toEqual({});
  });
});

describe('an export in the model root', () => {
  let root: TempRoot;
  beforeEach(async () => {
    root = await makeTempRoot();
    await root.copy('tiny_text', 'm/onnx/model.onnx');
    await root.write('m/tokenizer.json', '{}');
    await root.write(
      'm/config.json',
      JSON.stringify({ architectures: ['BertForTokenClassification'], id2label: { 0: 'O', 1: 'B-X' } }),
    );
  });
  afterEach(() => root.remove());
  const read = (): Promise<ModelSource> => readModel('m', 'm', { root: root.path, baseDir: root.path });

  it('is found and served with no card', async () => {
    expect(await listModels(root.path)).toEqual(['m']);
    expect(await read()).toMatchObject({
      file: join(root.path, 'm/onnx/model.onnx'),
      card: { task: 'token-classification', text: { maxTokens: 512 } },
      labels: ['O', 'B-X'],
      tokenizer: { json: '{}' },
    });
  });

  it('obeys a card key by key', async () => {
    await root.write('m/model.yaml', 'text: {maxTokens: 9, truncate: false}\nlabels: [a, b]');
    expect(await read()).toMatchObject({
      card: { task: 'token-classification', text: { maxTokens: 9, truncate: false } },
      labels: ['a', 'b'],
    });
    await root.write('m/model.yaml', 'task: tensor');
    const plain = await read();
    expect([plain.card.task, plain.tokenizer]).toEqual(['tensor', undefined]);
  });

  it('with a card of its own is not refused for modules that we do not run', async () => {
    await root.write('m/modules.json', JSON.stringify(['Transformer', 'Dense'].map(module)));
    expect(await failureOf(read())).toMatch(/^MODEL_LOAD_FAILED: .*modules\.json: .*got Dense/);
    await root.write('m/model.yaml', 'task: embedding\nembedding: {output: sentence_embedding}');
    expect((await read()).card.embedding.output).toBe('sentence_embedding');
  });

  it('never reads a file outside of the root', async () => {
    const outside = await makeTempRoot();
    await outside.write('pooling.json', '{}');
    await root.write('m/1_Pooling/README.md', '');
    await symlink(join(outside.path, 'pooling.json'), join(root.path, 'm/1_Pooling/config.json'));
    expect(await failureOf(read())).toMatch(/1_Pooling\/config\.json: .*leads out of the model root/);
    await outside.remove();
  });

  it('does not follow a module out of the folder', async () => {
    await root.write(
      'm/modules.json',
      JSON.stringify([module('Transformer'), { ...module('Pooling'), path: '../etc' }]),
    );
    await root.write('etc/config.json', '{"pooling_mode_cls_token": true}');
    await root.write('m/1_Pooling/config.json', '{"pooling_mode_max_tokens": true}');
    expect((await read()).card.embedding.pooling).toBe('max');
  });
});
