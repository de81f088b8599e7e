import PQueue from 'p-queue';
import { CarpoolError, messageOf } from '../errors.js';
import type { ImagesInput } from '../infer.js';
import { bytesPerElement, viewOf, type Tensor } from '../tensor.js';
import { decode, type Pixels, type Sharp } from './decoder.js';
import { geometryOf, shownPart, workOf, type Geometry } from './geometry.js';
import type { Recipe } from './recipe.js';
import { CHANNELS } from './resample.js';
import type { StripInput, stripValues } from './strip-values.js';
import { extentOf } from './taps.js';

export interface ImageReaderDeps {
  /** Runs `stripValues` where it holds nobody up. */
  readonly values: (
    strip: StripInput,
    signal: AbortSignal | undefined,
  ) => Promise<ReturnType<typeof stripValues>>;
  /** More of one image is refused. */
  readonly maxPixels: number;
  /** Default: the package `sharp`. */
  readonly load?: () => Promise<Sharp>;
}

/**
 * Images at a time, of all requests: each may take 150 MB when decoded. A request has no more of them in hand either, so
 * that a large one goes forward image by image beside others.
 */
const AT_ONCE = 2;

/** Pixels of one job of the codec thread: some 10 ms, after which the next one in line runs. */
const STRIP_PIXELS = 1_000_000;

/** Bytes of image files to tensors. Loads `sharp` when it is first needed, so that others need not have it. */
export class ImageReader {
  readonly #deps: ImageReaderDeps;
  readonly #queue = new PQueue({ concurrency: AT_ONCE });
  #library: Promise<Sharp> | undefined;

  constructor(deps: ImageReaderDeps) {
    this.#deps = deps;
  }

  /** Images are being read. */
  get isBusy(): boolean {
    return this.#queue.size + this.#queue.pending > 0;
  }

  /** @throws CarpoolError MODEL_LOAD_FAILED where `sharp` has no binary for this machine */
  async open(): Promise<Sharp> {
    const { load = loadSharp } = this.#deps;
    try {
      return await (this.#library ??= load());
    } catch (error) {
      this.#library = undefined;
      const reason = messageOf(error).trim().split('\n', 1)[0] ?? '';
      throw new CarpoolError(
        'MODEL_LOAD_FAILED',
        `images need the package "sharp" with its binary for this machine (npm install sharp): ${reason}`,
      );
    }
  }

  /**
   * One tensor for each image, of one row.
   * @throws CarpoolError naming the image: PAYLOAD_TOO_LARGE, INVALID_REQUEST, UNSUPPORTED_MEDIA_TYPE; CLIENT_GONE
   */
  async read({ images, where }: ImagesInput, recipe: Recipe, signal?: AbortSignal): Promise<Tensor[]> {
    const tensors: Tensor[] = [];
    const rest = images.entries();
    let failed = false;
    const readSome = async (): Promise<void> => {
      for (const [index, bytes] of rest) {
        const name = where === undefined ? 'body' : `${where}[${index}]`;
        try {
          tensors[index] = await this.#queue.add(() => this.#readOne(bytes, name, recipe, signal));
        } catch (error) {
          failed = true;
          throw error;
        }
        if (failed) return;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, readSome));
    return tensors;
  }

  async #readOne(
    bytes: Uint8Array,
    where: string,
    recipe: Recipe,
    signal: AbortSignal | undefined,
  ): Promise<Tensor> {
    if (signal?.aborted === true) throw new CarpoolError('CLIENT_GONE', 'the request was cancelled');
    const { maxPixels } = this.#deps;
    const pixels = await decode(await this.open(), bytes, { maxPixels, where });
    const geometry = geometryOf(recipe, pixels);
    const strips = Math.ceil(workOf(geometry, recipe, maxPixels, where) / STRIP_PIXELS);
    return this.#tensor(pixels, geometry, recipe, strips, signal);
  }

  async #tensor(
    { data, channels, width }: Pixels,
    geometry: Geometry,
    recipe: Recipe,
    strips: number,
    signal: AbortSignal | undefined,
  ): Promise<Tensor> {
    const { x, y } = geometry;
    const { dtype, layout, filter } = recipe;
    const elementBytes = bytesPerElement(dtype);
    const bytes = new Uint8Array(CHANNELS * x.size * y.size * elementBytes);
    const planes = layout === 'nchw' ? CHANNELS : 1;
    const rowBytes = (x.size * elementBytes * CHANNELS) / planes;
    const step = Math.ceil(y.size / strips);
    for (let from = 0; from < y.size; from += step) {
      const to = Math.min(y.size, from + step);
      const { first, count } = shownPart(y, from, to);
      const [firstRow, end] = count === 0 ? [0, 0] : extentOf(filter, y, first, count);
      // A copy: the decoder's memory can't be moved to a thread.
      const pixels = new Uint8Array(data.subarray(firstRow * width * channels, end * width * channels));
      const strip = { recipe, geometry, from, to, pixels, channels, firstRow };
      const values = await this.#deps.values(strip, signal);
      const part = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      const planeBytes = (to - from) * rowBytes;
      for (let plane = 0; plane < planes; plane++)
        bytes.set(
          part.subarray(plane * planeBytes, (plane + 1) * planeBytes),
          (plane * y.size + from) * rowBytes,
        );
    }
    const dims = layout === 'nchw' ? [1, CHANNELS, y.size, x.size] : [1, y.size, x.size, CHANNELS];
    return { dtype, dims, data: viewOf(dtype, bytes.buffer, 0, bytes.byteLength / elementBytes) };
  }
}

const loadSharp = async (): Promise<Sharp> => (await import('sharp')).default;
