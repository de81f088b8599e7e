import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { startGateway, type Running } from '../support/start-gateway.js';
import { imageGoldenOf, isNear, REFERENCE_IMAGES, REFERENCE_MODELS, type ImageCase } from './golden.js';

const TOLERANCE = 1e-4;
const MODELS = ['image-vit', 'image-resnet', 'image-crop'];
const TYPES: Readonly<Record<string, string>> = {
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
};

let running: Running;
beforeAll(async () => {
  running = await startGateway({ models: { root: REFERENCE_MODELS, load: MODELS } });
});
afterAll(() => running.close());

interface Prediction {
  readonly label: string;
  readonly confidence: number;
  readonly top: readonly { readonly label: string; readonly score: number }[];
}

const bytesOf = ({ file }: ImageCase): Buffer => readFileSync(path.join(REFERENCE_IMAGES, file));

/** The pipeline's scores, as the answer rounds them; their order too. */
const scoreProblem = ({ file, scores }: ImageCase, prediction: Prediction | undefined): string[] => {
  const wanted = Object.entries(scores).sort(([, a], [, b]) => b - a);
  const isSame =
    prediction?.top.length === wanted.length &&
    prediction.label === wanted[0]?.[0] &&
    wanted.every(([label, score], at) => {
      const got = prediction.top[at];
      return got?.label === label && isNear(got.score, score, 5.1e-4);
    });
  return isSame ? [] : [`${file}: ${JSON.stringify(prediction)}, expected ${JSON.stringify(wanted)}`];
};

describe.each(MODELS)('%s', (model) => {
  const cases = imageGoldenOf(model);
  const path_ = `/v1/models/${model}/infer`;

  it('has the logits of the reference, all images in one request', async () => {
    const images = cases.map((one) => bytesOf(one).toString('base64'));
    const { status, body } = await running.client.post(path_, { images, outputs: ['logits'] });
    expect(status).toBe(200);
    // Checked by the comparison: whatever is not there is not near.
    const rows = body.outputs?.['logits'] as readonly (readonly number[])[] | undefined;
    const off = cases.filter(({ logits }, row) =>
      logits.some((logit, column) => !isNear(rows?.[row]?.[column], logit, TOLERANCE)),
    );
    expect(rows).toHaveLength(21);
    expect(off.map(({ file }) => file)).toEqual([]);
  });

  it('has the labels of the pipeline, each image a body by itself, all at once', async () => {
    const found = await Promise.all(
      cases.map(async (one) => {
        const headers = { 'content-type': TYPES[path.extname(one.file)] };
        const sending = { method: 'POST', path: path_, body: bytesOf(one), headers };
        const { status, body } = await running.client.send(sending);
        const [prediction] = (body.predictions ?? []) as readonly Prediction[];
        return status === 200 ? scoreProblem(one, prediction) : [`${one.file}: ${status}`];
      }),
    );
    expect(found.flat()).toEqual([]);
  });
});
