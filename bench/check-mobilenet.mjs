/**
 * Serves a MobileNetV2 and checks it: its golden outputs as tensors, and an image against its own pixels. After
 * `npm run build`:
 *
 *   node bench/check-mobilenet.mjs --model <folder with model.onnx, golden.json, labels.json> [--image <file>] [--rounds 20]
 *
 * Exits 1 where something is off. Then it tells what an image takes, and for how long it held the event loop.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import sharp from 'sharp';
import { createGateway } from '../dist/src/index.js';
import { readOptions } from './lib/options.mjs';
import { median } from './lib/stats.mjs';

const options = readOptions({ model: '', image: '', rounds: 20 });
const SIDE = 224;
/** As torchvision and transformers prepare images for it. */
const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];

const golden = JSON.parse(readFileSync(join(options.model, 'golden.json'), 'utf8'));
const root = mkdtempSync(join(tmpdir(), 'carpool-mobilenet-'));
const folder = join(root, 'mobilenetv2');
mkdirSync(folder);
copyFileSync(join(options.model, 'model.onnx'), join(folder, 'model.onnx'));
writeFileSync(
  join(folder, 'model.yaml'),
  JSON.stringify({
    task: 'image-classification',
    labels: JSON.parse(readFileSync(join(options.model, 'labels.json'), 'utf8')),
    image: { size: { shortest_edge: 256 }, crop_size: SIDE, image_mean: MEAN, image_std: STD },
  }),
);
const gateway = createGateway({
  server: { port: 0, bodyLimitBytes: 2 ** 30 },
  log: { level: 'silent' },
  models: { root },
  batching: { calibrate: 'off' },
});

const infer = async (url, body, type = 'application/json') => {
  const payload = type === 'application/json' ? JSON.stringify(body) : body;
  const headers = { 'content-type': type };
  const answer = await fetch(`${url}/v1/models/mobilenetv2/infer`, {
    method: 'POST',
    body: payload,
    headers,
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.status} ${text}`);
  return JSON.parse(text);
};

const planes = (values) =>
  [0, 1, 2].map((channel) =>
    Array.from({ length: SIDE }, (_, row) => {
      const from = (channel * SIDE + row) * SIDE;
      return Array.from(values.subarray(from, from + SIDE));
    }),
  );

let failures = 0;
const check = (what, difference, tolerance) => {
  const good = difference <= tolerance;
  if (!good) failures++;
  console.log(`${good ? 'ok ' : 'OFF'} ${what}: ${difference.toPrecision(3)} (at most ${tolerance})`);
};
const largest = (a, b) => Math.max(...a.map((value, i) => Math.abs(value - b[i])));

try {
  const { url } = await gateway.listen();
  const { failed } = await gateway.ready();
  if (failed.length > 0) throw new Error(failed[0].message);

  const tensors = golden.cases.map(({ seed }) =>
    Float32Array.from({ length: 3 * SIDE * SIDE }, (_, i) => Math.sin(i * 0.01 + seed)),
  );
  const { outputs } = await infer(url, { inputs: tensors.map(planes) });
  for (const [i, { seed, first10, argmax }] of golden.cases.entries()) {
    const row = outputs[golden.output ?? 'output'][i];
    check(`golden ${seed}: first ten outputs`, largest(first10, row), golden.tolerance);
    check(`golden ${seed}: class`, Math.abs(row.indexOf(Math.max(...row)) - argmax), 0);
  }

  // A size that needs no resizing but the crop, so that sharp's pixels are the ones to have.
  const made = { width: 300, height: 256, channels: 3, noise: { type: 'gaussian', mean: 128, sigma: 60 } };
  const png = await sharp({ create: { ...made, background: '#808080' } })
    .png()
    .toBuffer();
  const { data } = await sharp(png)
    .extract({ left: 38, top: 16, width: SIDE, height: SIDE })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const pixels = Float32Array.from({ length: 3 * SIDE * SIDE }, (_, i) => {
    const channel = Math.floor(i / (SIDE * SIDE));
    return (data[(i % (SIDE * SIDE)) * 3 + channel] / 255 - MEAN[channel]) / STD[channel];
  });
  const byHand = await infer(url, { inputs: [planes(pixels)] });
  const images = [png.toString('base64')];
  const byImage = await infer(url, { images, outputs: ['output'] });
  check('an image and its pixels', largest(byHand.outputs.output[0], byImage.outputs.output[0]), 1e-4);

  const large =
    options.image === ''
      ? await sharp(png).resize(4000, 3000, { fit: 'fill' }).jpeg().toBuffer()
      : readFileSync(options.image);
  for (const [what, body, type] of [
    ['300x256 PNG', png, 'image/png'],
    [options.image === '' ? '4000x3000 JPEG' : options.image, large, 'image/jpeg'],
  ]) {
    const times = [];
    await infer(url, body, type);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    for (let round = 0; round < options.rounds; round++) {
      const from = performance.now();
      await infer(url, body, type);
      times.push(performance.now() - from);
    }
    delay.disable();
    const held = delay.max / 1e6;
    console.log(
      `    ${what}: ${median(times).toFixed(1)} ms an image; event loop held for ${held.toFixed(1)} ms at most`,
    );
  }
} finally {
  await gateway.close();
  rmSync(root, { recursive: true });
}
process.exitCode = failures === 0 ? 0 : 1;
