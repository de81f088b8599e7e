import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startGateway, type Running } from '../support/start-gateway.js';
import { goldenOf, isNear, nameOf, REFERENCE_MODELS } from './golden.js';

const TOLERANCE = 1e-4;

let running: Running;
beforeAll(async () => {
  running = await startGateway({ models: { root: REFERENCE_MODELS } });
});
afterAll(() => running.close());

it('serves every folder with no further file, for what it is', () => {
  const { models, failed } = running.report;
  expect(failed).toEqual([]);
  const found = models.map(({ name, card, batch }) => [name, card.task, card.text?.maxTokens, batch.mode]);
  expect(found).toEqual([
    ['bert-external', 'text-classification', 64, 'dynamic'],
    ['bert-ner', 'token-classification', 64, 'dynamic'],
    ['bert-rerank', 'rerank', 64, 'dynamic'],
    ['bert-single', 'text-classification', 64, 'dynamic'],
    ['deberta-nli', 'text-classification', 64, 'dynamic'],
    ['distilbert-regression', 'text-classification', 64, 'dynamic'],
    ['image-crop', 'image-classification', undefined, 'dynamic'],
    ['image-resnet', 'image-classification', undefined, 'dynamic'],
    ['image-vit', 'image-classification', undefined, 'dynamic'],
    ['roberta-multi', 'text-classification', 64, 'dynamic'],
    ['roberta-ner', 'token-classification', 64, 'dynamic'],
    ['st-baked', 'embedding', 48, 'dynamic'],
    ['st-cls', 'embedding', 48, 'dynamic'],
    ['st-last', 'embedding', 48, 'dynamic'],
    ['st-max', 'embedding', 48, 'dynamic'],
    ['st-mean', 'embedding', 48, 'dynamic'],
    ['xlmr-ner', 'token-classification', 64, 'dynamic'],
  ]);
});

describe.each(['bert-single', 'roberta-multi', 'distilbert-regression', 'bert-external'])('%s', (model) => {
  it('gives the logits of the reference over HTTP, all texts in one request', async () => {
    const cases = goldenOf(model).cases.filter(({ pair }) => pair === undefined);
    const texts = cases.map(({ text }) => text);
    const { status, body } = await running.client.post(`/v1/models/${model}/infer`, { texts });
    expect(status).toBe(200);
    // Checked by the comparison: whatever is not there is not near.
    const rows = body.outputs?.['logits'] as readonly (readonly number[])[] | undefined;
    const isOff = (expected: unknown, row: number, column: number): boolean =>
      !isNear(rows?.[row]?.[column], Number(expected), TOLERANCE);
    const off = cases.filter(({ logits = [] }, row) =>
      logits.some((each, column) => isOff(each, row, column)),
    );
    expect(rows).toHaveLength(cases.length);
    expect(off.map(nameOf)).toEqual([]);
  });
});
