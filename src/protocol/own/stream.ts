import type { ServerResponse } from 'node:http';
import type { Codec } from '../../codec/codec.js';
import { itemsByText } from '../../codec/tasks/index.js';
import { publicError } from '../../http/error-handler.js';
import type { Exchange } from '../../http/exchange.js';
import { fromWireError, toWireError } from '../../errors.js';
import type { InferResult, TextUnit } from '../../infer.js';
import type { ServedModel } from '../../models/served-model.js';
import type { Responder } from '../respond.js';
import type { LineAnswer } from './answer.js';
import { LineWriter } from './line-writer.js';
import type { OwnParsed } from './task-fit.js';

/** Batches' worth of rows that are asked for at a time; the next ones wait for the client to read. */
const SLICE_BATCHES = 2;
/** Slices on their way at a time, so that lanes have work while the lines of one are written. */
const SLICES_AT_ONCE = 2;

export interface StreamDeps {
  readonly codec: Codec;
  readonly responder: Responder;
}

/** Some texts of the request. */
interface Slice {
  readonly units: readonly TextUnit[];
  /** Position of its first text in the request. */
  readonly firstText: number;
}

/**
 * NDJSON: each text's answer as soon as its ride ends, in whatever order, with its index. The request is run slice by
 * slice, so that neither its results nor its lines pile up behind a slow reader; one version answers all of them,
 * though it be replaced meanwhile.
 *
 * An error before the first line is an answer like any other; after it, it is the last line: `{"error": {…}}`.
 */
export const streamTexts = (
  deps: StreamDeps,
  model: ServedModel,
  parsed: OwnParsed,
  res: ServerResponse,
  exchange: Exchange,
): Promise<void> =>
  model.during(() => new TextStream(deps, model, parsed, exchange, new LineWriter(res)).run());

class TextStream {
  readonly #deps: StreamDeps;
  readonly #model: ServedModel;
  readonly #parsed: OwnParsed;
  readonly #exchange: Exchange;
  readonly #writer: LineWriter;
  /** Units that make up one text: the labels that are tried on it, else 1. */
  readonly #width: number;
  readonly #lines: Promise<void>[] = [];
  /** The first one ends the stream. */
  #failure: Error | undefined;

  constructor(
    deps: StreamDeps,
    model: ServedModel,
    parsed: OwnParsed,
    exchange: Exchange,
    writer: LineWriter,
  ) {
    this.#deps = deps;
    this.#model = model;
    this.#parsed = parsed;
    this.#exchange = exchange;
    this.#writer = writer;
    this.#width = parsed.answer.zeroShot?.labels.length ?? 1;
  }

  async run(): Promise<void> {
    const { input } = this.#parsed.request;
    const units = input.kind === 'texts' ? input.texts : [];
    const slices = slicesOf(units, this.#width, SLICE_BATCHES * this.#model.info.batching.maxBatch);
    await Promise.all(Array.from({ length: SLICES_AT_ONCE }, () => this.#runSlices(slices)));
    await Promise.all(this.#lines);
    this.#exchange.rows = units.length;
    if (this.#failure !== undefined) {
      if (!this.#writer.hasBegun || this.#exchange.isGone) throw this.#failure;
      this.#writer.write(errorLine(this.#failure, this.#exchange));
    }
    this.#writer.end();
  }

  async #runSlices(slices: Generator<Slice, void>): Promise<void> {
    // Several of these take from one generator.
    for (let next = slices.next(); next.done !== true; next = slices.next()) {
      await this.#runSlice(next.value).catch(this.#fail);
      await this.#writer.ready();
      if (this.#failure !== undefined) return;
    }
  }

  async #runSlice({ units, firstText }: Slice): Promise<void> {
    const { request, answer } = this.#parsed;
    const width = this.#width;
    const parts: InferResult[][] = [];
    const onItem = (item: number, part: InferResult): void => {
      const text = Math.floor(item / width);
      const own = (parts[text] ??= []);
      own[item % width] = part;
      if (Object.keys(own).length === width)
        this.#write(firstText + text, units.slice(text * width, (text + 1) * width), joined(own));
    };
    // How many windows a text has is known only when all of them are in.
    const inWindows = request.options.window !== undefined;
    const parsed = { request: { ...request, input: { kind: 'texts', texts: units } }, answer } as const;
    const { responder } = this.#deps;
    const result = await responder.run(this.#model, parsed, this.#exchange, inWindows ? undefined : onItem);
    if (inWindows)
      for (const [text, items] of itemsByText(result.items.length, result.texts).entries())
        this.#write(firstText + text, units.slice(text, text + 1), partOf(result, items));
    await Promise.all(this.#lines.splice(0));
  }

  readonly #fail = (error: unknown): void => {
    this.#failure ??= error instanceof Error ? error : fromWireError(toWireError(error));
  };

  /** Renders and writes one text; soon, where it is large. */
  #write(index: number, texts: readonly TextUnit[], result: InferResult): void {
    this.#lines.push(this.#render(index, texts, result).then((line) => this.#writer.write(line), this.#fail));
  }

  #render(index: number, texts: readonly TextUnit[], result: InferResult): Promise<string | Uint8Array> {
    const { zeroShot, ...rest } = this.#parsed.answer;
    const own = zeroShot === undefined ? {} : { zeroShot: { ...zeroShot, texts: 1 } };
    const answer: LineAnswer = { ...rest, ...own, kind: 'line', index };
    const request = { ...this.#parsed.request, input: { kind: 'texts', texts } } as const;
    return this.#deps.codec.render(
      { answer, info: this.#model.info, request, result },
      this.#exchange.signal,
    );
  }
}

/** At most `rows` units each, but whole texts. */
function* slicesOf(units: readonly TextUnit[], width: number, rows: number): Generator<Slice, void> {
  const texts = Math.max(1, Math.floor(rows / width));
  for (let firstText = 0; firstText * width < units.length; firstText += texts)
    yield { units: units.slice(firstText * width, (firstText + texts) * width), firstText };
}

const joined = (parts: readonly InferResult[]): InferResult => {
  const [first] = parts;
  return {
    items: parts.flatMap(({ items }) => items),
    texts: parts.flatMap(({ texts }) => texts ?? []),
    timings: first?.timings ?? { encodeMs: 0, queueMs: 0, runMs: 0, batchRows: 0 },
  };
};

/** The items of one text, whose facts name it as the first. */
const partOf = ({ items, texts, timings }: InferResult, positions: readonly number[]): InferResult => ({
  items: positions.flatMap((position) => items[position] ?? []),
  texts: positions.flatMap((position) => {
    const facts = texts?.[position];
    return facts === undefined ? [] : { ...facts, source: 0 };
  }),
  timings,
});

const errorLine = (error: unknown, exchange: Exchange): string => {
  const { code, message } = publicError(error);
  exchange.code ??= code;
  return `${JSON.stringify({ error: { code, message, requestId: exchange.requestId } })}\n`;
};
