import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from '../support/crc32.js';
import type { Reply } from '../support/http-client.js';
import { startGateway, tempModelRoot, type Running } from '../support/start-gateway.js';
import { REFERENCE_IMAGES, REFERENCE_MODELS } from '../reference/golden.js';

const PATH = '/v1/models/image-vit/infer';
const image = (name: string): Buffer => readFileSync(path.join(REFERENCE_IMAGES, name));
const [RGB, JPEG, WEBP] = [image('rgb.png'), image('full.jpg'), image('lossy.webp')];

let running: Running;
beforeAll(async () => {
  running = await startGateway({
    server: { maxImagePixels: 100_000, bodyLimitBytes: 300_000, maxRequestRows: 30 },
    models: { root: REFERENCE_MODELS, load: ['image-vit', 'bert-single'] },
  });
});
afterAll(() => running.close());

const send = (body: unknown, type: string | null = 'image/png', query = ''): Promise<Reply> =>
  running.client.send({
    method: 'POST',
    path: PATH + query,
    body,
    headers: { 'content-type': type ?? undefined },
  });

/** Status, code and message in one line. */
const lineOf = ({ status, body }: Reply): string =>
  `${status} ${body.error?.code ?? ''} ${body.error?.message ?? JSON.stringify(body)}`;

/** The head of a PNG of these sides, and no picture. */
const pngHead = (width: number, height: number): Buffer => {
  const chunk = Buffer.from('\0\0\0\rIHDR\0\0\0\0\0\0\0\0\b\x02\0\0\0\0\0\0\0', 'latin1');
  chunk.writeUInt32BE(width, 8);
  chunk.writeUInt32BE(height, 12);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 21)), 21);
  const data = Buffer.from('\0\0\0\x04IDATabcd\0\0\0\0', 'latin1');
  data.writeUInt32BE(crc32(data.subarray(4, 12)), 12);
  return Buffer.concat([image('rgb.png').subarray(0, 8), chunk, data]);
};

describe('a body that is an image', () => {
  it('is answered with the five best labels, best first', async () => {
    const { status, body } = await send(RGB);
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(['model_name', 'model_version', 'predictions']);
    const [first, ...others] = body.predictions as { label: string; confidence: number; top: object[] }[];
    expect(others).toEqual([]);
    expect(first?.top).toHaveLength(5);
    expect(first?.top[0]).toEqual({ label: first?.label, score: first?.confidence });
  });

  it.each([
    ['with as many labels as asked for', '?top_k=2', 2],
    ['with all of them', '?top_k=1&scores=true', 5],
  ])('%s', async (_what, query, labels) => {
    const { body } = await send(RGB, 'image/png', query);
    expect((body.predictions as { top: object[] }[])[0]?.top).toHaveLength(labels);
  });

  it.each([['application/octet-stream'], ['image/jpeg'], ['IMAGE/WEBP'], [null]])(
    'is what its bytes say: a PNG sent as %s',
    async (type) => {
      expect((await send(RGB, type)).text).toBe((await send(RGB)).text);
    },
  );
});

describe('images in JSON', () => {
  it('are answered one by one, in order, as they are alone', async () => {
    const files = [RGB, JPEG, WEBP];
    const alone = await Promise.all(files.map((file) => send(file)));
    const images = [
      `data:image/png;base64,${RGB.toString('base64')}`,
      JPEG.toString('base64url'),
      WEBP.toString('base64').replace(/.{76}/g, '$&\r\n'),
    ];
    const { body } = await send({ images }, 'application/json');
    expect(body.predictions).toEqual(alone.flatMap((reply) => reply.body.predictions));
  });

  it('have the outputs that are named beside the labels', async () => {
    const images = [RGB.toString('base64')];
    const { body } = await send({ images, outputs: ['logits'], top_k: 1 }, 'application/json');
    expect(body.outputs?.['logits']).toEqual([Array(5).fill(expect.any(Number))]);
  });
});

it('tensors are taken as before', async () => {
  const plane = Array<number[]>(32).fill(Array<number>(32).fill(0.5));
  const { status, body } = await running.client.infer('image-vit', [[plane, plane, plane]]);
  expect(status).toBe(200);
  expect(Object.keys(body.outputs ?? {})).toEqual(['logits']);
});

describe('refused', () => {
  it.each<[string, Buffer | string, string]>([
    [
      'a GIF',
      'GIF89a\x01\0\x01\0',
      '415 UNSUPPORTED_MEDIA_TYPE body: expected a JPEG, PNG or WebP image, got GIF',
    ],
    [
      'an SVG',
      '<svg xmlns="x"/>',
      '415 UNSUPPORTED_MEDIA_TYPE body: expected a JPEG, PNG or WebP image, got SVG',
    ],
    ['a TIFF', Buffer.from('II*\0abcdefgh'), 'PNG or WebP image, got TIFF'],
    [
      'text',
      'hello',
      '400 INVALID_REQUEST body: expected a JPEG, PNG or WebP image, got bytes that begin with 68656c6c6f',
    ],
    ['nothing', '', 'got no bytes'],
    [
      'half a PNG',
      RGB.subarray(0, RGB.length / 2),
      "400 INVALID_REQUEST body: this PNG image can't be read: ",
    ],
    [
      'half a JPEG',
      JPEG.subarray(0, JPEG.length / 2),
      "400 INVALID_REQUEST body: this JPEG image can't be read: ",
    ],
    [
      'half a WebP',
      WEBP.subarray(0, WEBP.length / 2),
      "400 INVALID_REQUEST body: this WebP image can't be read: ",
    ],
    ['the first bytes of a PNG', RGB.subarray(0, 9), "this PNG image can't be read: "],
    [
      'a bomb',
      pngHead(20_000, 20_000),
      '413 PAYLOAD_TOO_LARGE body: expected at most 100000 pixels, got 20000x20000',
    ],
    [
      'a long bomb',
      pngHead(80_000, 1),
      '413 PAYLOAD_TOO_LARGE body: expected at most 65535 pixels a side, got 80000x1',
    ],
    [
      'a body over the limit',
      Buffer.alloc(300_001),
      '413 PAYLOAD_TOO_LARGE expected a body of at most 300000',
    ],
  ])('%s', async (_what, body, message) => {
    expect(lineOf(await send(body))).toContain(message);
  });

  it.each([
    ['?top_k=0', 'top_k: expected an integer above 0, got number 0'],
    ['?top_k=many', 'top_k: expected an integer above 0, got string "many"'],
    ['?topk=1', 'query: unknown key "topk"; expected top_k, scores, timeoutMs, priority'],
    ['?timeoutMs=-1', 'timeoutMs: expected milliseconds above 0'],
  ])('the query %s', async (query, message) => {
    expect(lineOf(await send(RGB, 'image/png', query))).toContain(`400 INVALID_REQUEST ${message}`);
  });

  const ok = RGB.toString('base64');
  it.each<[string, object, string]>([
    ['none', { images: [] }, 'images: expected a list of images in base64, got an empty list'],
    ['one, not in a list', { images: 'aGVsbG8=' }, 'a single image is a list of one'],
    ['a number', { images: [ok, 7] }, 'images[1]: expected base64, got number 7'],
    ['no base64', { images: [ok, '!!!!'] }, 'images[1]: expected an image in base64, got other characters'],
    ['nothing between', { images: [ok, ''] }, 'images[1]: expected an image in base64, got nothing'],
    [
      'an address',
      { images: ['https://a.example/x.png'] },
      'images[0]: expected an image in base64, got an address',
    ],
    ['a data URL of text', { images: ['data:text/plain,hi'] }, 'got a data: URL without base64'],
    [
      'base64 of something else',
      { images: [ok, 'aGVsbG8='] },
      'images[1]: expected a JPEG, PNG or WebP image, got bytes',
    ],
    ['half an image', { images: [ok, ok.slice(0, 2000)] }, "images[1]: this PNG image can't be read"],
    ['inputs as well', { images: [ok], inputs: [] }, 'body: expected "images" or "inputs", got both'],
    ['neither', {}, 'body: expected "images" or "inputs", got neither'],
    ['options of texts', { images: [ok], truncate: true }, 'unknown key "truncate"; expected images, top_k'],
    ['texts', { texts: ['a'] }, 'texts: image-vit takes no texts'],
  ])('in JSON: %s', async (_what, body, message) => {
    const line = lineOf(await send(body, 'application/json'));
    expect(line).toContain('400 INVALID_REQUEST');
    expect(line).toContain(message);
  });

  it('in JSON: too many', async () => {
    const line = lineOf(await send({ images: Array(31).fill('aGVsbG8=') }, 'application/json'));
    expect(line).toContain('413 PAYLOAD_TOO_LARGE images: expected at most 30 in a request, got 31');
  });

  it('images for a model of texts', async () => {
    const path_ = '/v1/models/bert-single/infer';
    const headers = { 'content-type': 'image/png' };
    const raw = await running.client.send({ method: 'POST', path: path_, body: RGB, headers });
    expect(lineOf(raw)).toContain('415 UNSUPPORTED_MEDIA_TYPE expected Content-Type application/json');
    const json = await running.client.post(path_, { images: [ok] });
    expect(lineOf(json)).toContain('400 INVALID_REQUEST images: bert-single takes no images');
  });

  it('and the next image is answered', async () => {
    expect((await send(RGB)).status).toBe(200);
  });
});

it('bytes that are flipped anywhere are an answer or a refusal, never an error of ours', async () => {
  const seen = new Set<number>();
  for (const file of [RGB, JPEG, WEBP])
    for (let at = 12; at < file.length; at += Math.ceil(file.length / 40)) {
      const broken = Buffer.from(file);
      broken[at] = (broken[at] ?? 0) ^ 0xff;
      seen.add((await send(broken)).status);
    }
  expect([...seen].filter((status) => ![200, 400, 413].includes(status))).toEqual([]);
  expect(seen).toContain(400);
});

describe('a model that images do not fit', () => {
  const folder = path.join(REFERENCE_MODELS, 'image-vit');
  const [onnx, config] = ['model.onnx', 'config.json'].map((file) => readFileSync(path.join(folder, file)));
  const yaml = (image: string): string => `task: image-classification\n${image}`;

  it('is not loaded, and told why; without settings it is tensors', async () => {
    const root = await tempModelRoot({
      'sides/model.onnx': onnx!,
      'sides/model.yaml': yaml('image: { size: 99, layout: nhwc }'),
      'none/model.onnx': onnx!,
      'none/model.yaml': yaml(''),
      'step/model.onnx': onnx!,
      'step/config.json': config!,
      'step/preprocessor_config.json': '{"size": 32, "do_pad": true}',
      'plain/model.onnx': onnx!,
      'plain/config.json': config!,
    });
    const load = ['sides', 'none', 'step', 'plain'];
    const other = await startGateway({ models: { root: root.path, load } });
    try {
      const { failed, models } = other.report;
      const told = Object.fromEntries(failed.map(({ name, message }) => [name, message]));
      expect(told).toEqual({
        sides: expect.stringContaining('model.yaml: image: expected an input with 3 channels'),
        none: expect.stringContaining('model.yaml: image: expected "image" with task image-classification'),
        step: expect.stringContaining('preprocessor_config.json: expected no do_pad'),
      });
      expect(models.map(({ name, card }) => [name, card.task])).toEqual([['plain', 'tensor']]);
    } finally {
      await other.close();
      await root.remove();
    }
  });
});
