import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InferenceClient } from '@huggingface/inference';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { imageGoldenOf, isNear, REFERENCE_IMAGES, REFERENCE_MODELS } from '../reference/golden.js';
import { startGateway, type Running } from '../support/start-gateway.js';

let running: Running;
beforeAll(async () => {
  running = await startGateway({ models: { root: REFERENCE_MODELS, load: ['image-vit', 'bert-single'] } });
});
afterAll(() => running.close());

const [GOLDEN] = imageGoldenOf('image-vit');
const BYTES = readFileSync(path.join(REFERENCE_IMAGES, GOLDEN?.file ?? ''));

describe('imageClassification of @huggingface/inference', () => {
  it.each([
    ['of no type', new Blob([BYTES])],
    ['of its own type', new Blob([BYTES], { type: 'image/png' })],
  ])('has the scores of the pipeline for a blob %s', async (_what, inputs) => {
    const client = new InferenceClient('hf_none', { endpointUrl: running.url });
    const labels = await client.imageClassification({ inputs });
    expect(labels.map(({ label }) => label)).toEqual(Object.keys(GOLDEN?.scores ?? {}));
    const off = labels.filter(({ label, score }) => !isNear(score, GOLDEN?.scores[label] ?? NaN, 1e-4));
    expect(off).toEqual([]);
  });
});

it('an image for a model of texts is refused by name', async () => {
  const headers = { 'content-type': 'image/png' };
  const { status, text } = await running.client.send({
    ...{ method: 'POST', path: '/models/bert-single', body: BYTES, headers },
  });
  expect([status, text]).toEqual([
    400,
    '{"error":"model: \'bert-single\' is for text-classification, not for images"}',
  ]);
});
