import { ImageReader } from '../images/reader.js';
import type { IdsInput, InferRequest, TextUnit } from '../infer.js';
import type { Parsed, ParseInput } from '../protocol/parse.js';
import { renderBody, type RenderInput } from '../protocol/render.js';
import { CodecThread } from './codec-thread.js';
import { encodingCost, isSmallResult, sliceEnds } from './cost.js';
import type { EncodeOptions } from './encode.js';
import { joinEncoded } from './encoded-texts.js';
import type { EncodedTexts } from './encoded-texts.js';
import { createJobs } from './jobs.js';
import type { TokenizerFacts, TokenizerSource } from './jobs.js';
import { packedArrays, packResult } from './packed-result.js';
import { ownBytes, ownedBuffers } from './transfer.js';

/**
 * A tokenizer larger than this (characters of its JSON; BERT has 0.7 M, XLM-R 9 M) is opened in the thread only, and
 * its texts all go there: opening takes 40 ms a megabyte, which a load under traffic would cost every other request.
 */
const INLINE_TOKENIZER_CHARS = 1_000_000;

/** Most tokens that are turned into text on the event loop. */
const INLINE_DECODED_TOKENS = 1_024;
/** And most that the codec thread takes at a time, but for a longer sequence. */
const SLICE_DECODED_TOKENS = 8_192;

/** Largest body that is parsed on the event loop: 0.7 ms of texts or numbers, 3 ms of integers beyond 2^53. */
const INLINE_PARSE_BYTES = 65_536;

/** Finding the places of tokens takes about so many times as long as their ids alone. */
const OFFSETS_COST = 4;

const MAX_IMAGE_PIXELS = 50_000_000;

export interface ImageLimits {
  /** Default: 50 million. */
  readonly maxImagePixels?: number;
}

export interface CodecEncodeOptions extends Omit<EncodeOptions, 'firstIndex'> {
  /** Stops what has not begun; rejects with the signal's reason, or CLIENT_GONE. */
  readonly signal?: AbortSignal;
}

/**
 * Texts to ids, bodies to requests, results to answers: small ones at once, where they are; large ones in the codec
 * thread, so that no input holds the event loop for 10 ms.
 */
export class Codec {
  readonly images: ImageReader;
  readonly #thread: CodecThread;
  readonly #here = createJobs();
  /** By tokenizer: most characters that are encoded on the event loop. */
  readonly #inlineChars = new Map<string, number>();

  constructor(thread = new CodecThread(), { maxImagePixels = MAX_IMAGE_PIXELS }: ImageLimits = {}) {
    this.#thread = thread;
    this.images = new ImageReader({
      maxPixels: maxImagePixels,
      values: (strip, signal) =>
        thread.run('imageStrip', strip, { transfer: ownedBuffers([strip.pixels]), signal }),
    });
  }

  /** Large texts or images of a request are being prepared: what comes now would wait, or keep the next one waiting. */
  get isBusy(): boolean {
    return this.#thread.isBusy || this.images.isBusy;
  }

  /** Starts the thread; resolves when it is ready. */
  async start(): Promise<void> {
    await this.#thread.start();
  }

  /** @throws CarpoolError MODEL_LOAD_FAILED saying what is wrong with the files. */
  async openTokenizer(key: string, source: TokenizerSource): Promise<TokenizerFacts> {
    const facts = await this.#thread.openTokenizer({ key, ...source });
    if (source.json.length <= INLINE_TOKENIZER_CHARS) {
      this.#here.openTokenizer({ key, ...source });
      this.#inlineChars.set(key, facts.inlineChars);
    }
    return facts;
  }

  /** Does nothing for a key that is not open. */
  async closeTokenizer(key: string): Promise<void> {
    this.#inlineChars.delete(key);
    this.#here.closeTokenizer({ key });
    await this.#thread.closeTokenizer(key);
  }

  /**
   * @throws CarpoolError INPUT_TOO_LONG, INVALID_REQUEST (both name the text); MODEL_UNAVAILABLE when the tokenizer is
   * closed or the thread died.
   */
  async encode(key: string, texts: readonly TextUnit[], options: CodecEncodeOptions): Promise<EncodedTexts> {
    const { signal, ...limits } = options;
    const mostChars = this.#inlineChars.get(key);
    const inlineChars = (mostChars ?? 0) / (options.wants?.offsets === true ? OFFSETS_COST : 1);
    if (mostChars !== undefined && encodingCost(texts, inlineChars) <= inlineChars)
      return this.#here.encode({ key, texts, ...limits });
    const slices: EncodedTexts[] = [];
    let firstIndex = 0;
    for (const end of sliceEnds(texts)) {
      const slice = { key, texts: texts.slice(firstIndex, end), firstIndex, ...limits };
      slices.push(await this.#thread.run('encode', slice, { signal }));
      firstIndex = end;
    }
    return joinEncoded(slices);
  }

  /**
   * JSON of the tokens of whole texts, see `tokensJson`. As JSON, since messages with thousands of small strings would
   * hold the event loop.
   * @throws as `encode`
   */
  async tokenize(
    key: string,
    texts: readonly TextUnit[],
    special: boolean,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    const inlineChars = (this.#inlineChars.get(key) ?? 0) / OFFSETS_COST;
    if (encodingCost(texts, inlineChars) <= inlineChars)
      return jsonList([this.#here.tokenize({ key, texts, special, firstIndex: 0 })]);
    const parts: Uint8Array[] = [];
    let firstIndex = 0;
    for (const end of sliceEnds(texts)) {
      const slice = { key, texts: texts.slice(firstIndex, end), special, firstIndex };
      parts.push(await this.#thread.run('tokenize', slice, { signal }));
      firstIndex = end;
    }
    return jsonList(parts);
  }

  /**
   * JSON of the texts of token ids, a list of strings.
   * @throws CarpoolError INVALID_REQUEST naming the sequence with an id that is not in the vocabulary; MODEL_UNAVAILABLE
   */
  async decode(
    key: string,
    { ids, lengths }: Pick<IdsInput, 'ids' | 'lengths'>,
    skipSpecial: boolean,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    if (this.#inlineChars.has(key) && ids.length <= INLINE_DECODED_TOKENS)
      return jsonList([this.#here.decode({ key, ids, lengths, skipSpecial })]);
    const parts: Uint8Array[] = [];
    let [from, to, firstIndex] = [0, 0, 0];
    for (const [index, length] of lengths.entries()) {
      to += length;
      if (to - from < SLICE_DECODED_TOKENS && index < lengths.length - 1) continue;
      const slice = { ids: ids.slice(from, to), lengths: lengths.slice(firstIndex, index + 1) };
      parts.push(await this.#thread.run('decode', { key, ...slice, skipSpecial, firstIndex }, { signal }));
      [from, firstIndex] = [to, index + 1];
    }
    return jsonList(parts);
  }

  /**
   * Takes `input.bytes` over: a large body is moved to the thread, and the caller's array is empty then.
   * @throws CarpoolError INVALID_REQUEST, PAYLOAD_TOO_LARGE; MODEL_UNAVAILABLE when the thread died.
   */
  async parse(input: ParseInput, signal?: AbortSignal): Promise<Parsed> {
    if (input.bytes.byteLength <= INLINE_PARSE_BYTES) return this.#here.parse(input);
    const bytes = ownBytes(input.bytes);
    return this.#thread.run('parse', { ...input, bytes }, { transfer: ownedBuffers([bytes]), signal });
  }

  /**
   * JSON of an answer: a string, or its UTF-8 bytes where it was rendered in the thread.
   * @throws CarpoolError MODEL_UNAVAILABLE when the thread died.
   */
  async render(input: RenderInput, signal?: AbortSignal): Promise<string | Uint8Array> {
    const { result, ...rest } = input;
    if (isSmallResult(result)) return renderBody(input);
    const packed = packResult(result);
    const { options, input: whole } = rest.request;
    // Only offsets mean something to those who have the texts; else these would be cloned for nothing.
    const keeps = options.wants?.offsets === true && whole.kind === 'texts';
    const request: InferRequest = { ...rest.request, input: keeps ? whole : { kind: 'texts', texts: [] } };
    const transfer = ownedBuffers(packedArrays(packed));
    return this.#thread.run('render', { ...rest, request, packed }, { transfer, signal });
  }

  /** Ends the thread; what it still had to do is rejected with DRAINING. */
  async close(): Promise<void> {
    await this.#thread.close();
  }
}

const jsonList = (parts: readonly Uint8Array[]): Uint8Array =>
  Buffer.concat([
    Buffer.from('['),
    ...parts.flatMap((part, i) => (i === 0 ? [part] : [Buffer.from(','), part])),
    Buffer.from(']'),
  ]);
