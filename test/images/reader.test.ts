import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import type { Sharp } from '../../src/images/decoder.js';
import { ImageReader, type ImageReaderDeps } from '../../src/images/reader.js';
import type { Recipe } from '../../src/images/recipe.js';
import { stripValues, type StripInput } from '../../src/images/strip-values.js';
import { REFERENCE_IMAGES } from '../reference/golden.js';

const RAW: Recipe = {
  filter: 'lanczos',
  factor: 1,
  mean: [0, 0, 0],
  std: [1, 1, 1],
  dtype: 'uint8',
  layout: 'nhwc',
  flip: false,
};
const PNG = readFileSync(path.join(REFERENCE_IMAGES, 'tiny.png'));

const readerOf = (over: Partial<ImageReaderDeps> = {}): ImageReader =>
  new ImageReader({
    values: (strip) => Promise.resolve(stripValues(strip)),
    maxPixels: 10_000_000,
    ...over,
  });

const bytesOf = async (image: Uint8Array, recipe = RAW): Promise<number[]> => {
  const [tensor] = await readerOf().read({ kind: 'images', images: [image] }, recipe);
  return [...((tensor?.data ?? []) as Uint8Array)];
};

/** Noise, without loss. */
const noise = (width: number, height: number): Promise<Buffer> => {
  const pixels = Buffer.from({ length: width * height * 3 } as ArrayLike<number>).map((_, i) => (i * i) >> 3);
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 0 })
    .toBuffer();
};

describe('a reader', () => {
  it('is busy while it reads', async () => {
    const reader = readerOf();
    expect(reader.isBusy).toBe(false);
    const read = reader.read({ kind: 'images', images: [PNG] }, RAW);
    expect(reader.isBusy).toBe(true);
    await read;
    expect(reader.isBusy).toBe(false);
  });
});

describe('an image', () => {
  it.each<[Recipe['layout'], Recipe['dtype']]>([
    ['nhwc', 'uint8'],
    ['nchw', 'float32'],
  ])('of several strips is what it is in one (%s %s)', async (layout, dtype) => {
    const strips: StripInput[] = [];
    const reader = readerOf({
      values: (strip) => {
        strips.push(strip);
        return Promise.resolve(stripValues(strip));
      },
    });
    const recipe: Recipe = { ...RAW, layout, dtype, resize: { edge: 50 }, crop: { width: 40, height: 41 } };
    const image = await noise(1_300, 2_000);
    const [tensor] = await reader.read({ kind: 'images', images: [image] }, recipe);
    expect(strips.length).toBeGreaterThan(1);
    const [first] = strips;
    const { data } = await sharp(image).raw().toBuffer({ resolveWithObject: true });
    const whole = stripValues({ ...first!, from: 0, to: 41, pixels: data, firstRow: 0 });
    expect([...(tensor?.data ?? [])]).toEqual([...whole]);
    expect(tensor?.dims).toEqual(layout === 'nhwc' ? [1, 41, 40, 3] : [1, 3, 41, 40]);
  });

  it('keeps its own colours: a profile is not applied, as in PIL', async () => {
    const red = { create: { width: 1, height: 1, channels: 3 as const, background: '#ff0000' } };
    const image = await sharp(red).withIccProfile('p3').png().toBuffer();
    expect((await sharp(image).metadata()).icc).toBeDefined();
    const [r = 0, g = 0, b = 0] = await bytesOf(image);
    expect([r, g, b]).not.toEqual([255, 0, 0]);
    expect(g).toBeGreaterThan(40);
    expect(b).toBeGreaterThan(20);
  });

  it('of several frames is its first', async () => {
    const frames = Buffer.from([10, 20, 30, 200, 210, 220]);
    const raw = { width: 1, height: 2, channels: 3 as const, pageHeight: 1 };
    const image = await sharp(frames, { raw })
      .webp({ lossless: true, loop: 0, delay: [9, 9] })
      .toBuffer();
    expect((await sharp(image).metadata()).pages).toBe(2);
    expect(await bytesOf(image)).toEqual([10, 20, 30]);
  });

  it('known difference: 16-bit greys are scaled to bytes; PIL makes all above 255 white', async () => {
    const greys = Uint16Array.from([0, 256, 32_768, 65_535]);
    const raw = { width: 4, height: 1, channels: 1 as const };
    const image = await sharp(greys, { raw }).toColourspace('grey16').png().toBuffer();
    expect((await sharp(image).metadata()).depth).toBe('ushort');
    expect(await bytesOf(image)).toEqual([0, 0, 0, 1, 1, 1, 128, 128, 128, 255, 255, 255]);
  });
});

describe('several images', () => {
  const images = (count: number): { kind: 'images'; images: Buffer[]; where: string } => ({
    kind: 'images',
    images: Array<Buffer>(count).fill(PNG),
    where: 'images',
  });

  it('are decoded two at a time, whatever asks for them', async () => {
    let running = 0;
    let most = 0;
    const reader = readerOf({
      values: async (strip) => {
        most = Math.max(most, ++running);
        // As long as others need to get here, if they may.
        for (let i = 0; i < 3; i++) await sharp(PNG).raw().toBuffer();
        running--;
        return stripValues(strip);
      },
    });
    const found = await Promise.all([reader.read(images(5), RAW), reader.read(images(4), RAW)]);
    expect(found.map((tensors) => tensors.length)).toEqual([5, 4]);
    expect(most).toBe(2);
  });

  it('end with the first that is broken', async () => {
    let done = 0;
    const reader = readerOf({
      values: (strip) => {
        done++;
        return Promise.resolve(stripValues(strip));
      },
    });
    const broken = { ...images(40), images: [Buffer.from('no image'), ...images(39).images] };
    await expect(reader.read(broken, RAW)).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringContaining('images[0]: expected a JPEG, PNG or WebP image'),
    });
    // As long as the others would need.
    for (let i = 0; i < 20; i++) await sharp(PNG).raw().toBuffer();
    expect(done).toBeLessThan(3);
  });

  it('are not begun for a client that has gone', async () => {
    const gone = AbortSignal.abort();
    await expect(readerOf().read(images(2), RAW, gone)).rejects.toMatchObject({ code: 'CLIENT_GONE' });
  });
});

describe('the library', () => {
  it('is told to be missing, and looked for again the next time', async () => {
    const tries = [
      (): Promise<Sharp> => Promise.reject(new Error('Could not load it\nTry this')),
      (): Promise<Sharp> => Promise.resolve(sharp),
    ];
    const reader = readerOf({ load: () => tries.shift()!() });
    await expect(reader.open()).rejects.toMatchObject({
      code: 'MODEL_LOAD_FAILED',
      message:
        'images need the package "sharp" with its binary for this machine (npm install sharp): Could not load it',
    });
    await expect(reader.open()).resolves.toBe(sharp);
  });
});
