import type { Clock, Item, Ride, Ticket } from '#batcher';
import { cachePolicyOf } from './cache/policy.js';
import { rideCached, type CachedTicket, type SubmitItems } from './cache/ride-cached.js';
import type { Codec } from './codec/codec.js';
import { factsOf, type EncodedTexts } from './codec/encoded-texts.js';
import { itemsOfImages, itemsOfTensors, itemsOfTexts } from './codec/items.js';
import { embeddingOutput } from './codec/tasks/index.js';
import { ownTokens } from './codec/own-tokens.js';
import type { Payload } from './executor/join.js';
import { CarpoolError } from './errors.js';
import { recipeFor } from './images/recipe-for.js';
import type { IdsInput, InferRequest, InferResult, ItemOutput, TextWants } from './infer.js';
import type { Charge } from './limits/limiter.js';
import type { QuotaState } from './limits/quotas.js';
import type { ServedModel } from './models/served-model.js';
import type { RequestTrace } from './telemetry/tracing/request-trace.js';
import type { Signature } from './models/signature.js';
import { QueueBytes } from './queue-bytes.js';

/** The caller's side of a request; an HTTP exchange is one. */
export interface PipelineContext {
  /** Milliseconds since the request came in: its timeout counts from there. */
  readonly elapsedMs: number;
  /** Whom the work is charged to: callers share the lanes fairly, and have quotas. */
  readonly caller: string;
  quotas?: readonly QuotaState[] | undefined;
  /** The request's `Cache-Control`, for models with a response cache. */
  readonly cacheControl?: string | undefined;
  /** Fires when the client goes away; only made where something listens. */
  readonly signal: AbortSignal;
  /** Calls `fn` when the client goes away, at once if it has. @returns what stops that */
  onGone(fn: () => void): () => void;
  /** Where traces are on: hears when a stage is over, and of the batches. */
  readonly trace?: RequestTrace | undefined;
}

export interface PipelineLimits {
  /** Takes rows and tokens from the caller's quotas before they are queued. Default: nobody has any. */
  readonly charge?: Charge | undefined;
  /** What queued inputs may take together. Default: no limit. */
  readonly bytes?: QueueBytes;
}

/**
 * The way of every request, whatever protocol it came by; the only code that knows the order of the stages:
 *
 *   texts ─ encode ─▶ items ─ cache ─ batcher ─▶ lane ─▶ rides ─▶ result
 */
export class Pipeline {
  readonly #codec: Codec;
  readonly #clock: Clock;
  readonly #charge: Charge | undefined;
  readonly #bytes: QueueBytes;

  constructor(codec: Codec, clock: Clock, { charge, bytes = new QueueBytes(Infinity) }: PipelineLimits = {}) {
    this.#codec = codec;
    this.#clock = clock;
    this.#charge = charge;
    this.#bytes = bytes;
  }

  /**
   * @param onItem hears of every item as soon as its ride is in: its position, and a result of it alone
   * @throws whatever the stages throw: see docs/errors.md
   */
  async infer(
    model: ServedModel,
    request: InferRequest,
    context: PipelineContext,
    onItem?: (index: number, result: InferResult) => void,
  ): Promise<InferResult> {
    if (model.cache === undefined) model.guard.requireHope(context);
    const { info } = model;
    const startedAt = this.#clock.now();
    const arrivedAt = startedAt - context.elapsedMs;
    const { timeoutMs = info.batching.timeoutMs, priority = 0 } = request.options;
    const { caller, trace } = context;
    const submit = { deadlineAt: arrivedAt + timeoutMs, caller, priority, onRun: trace?.onRun };
    // The batcher finishes what it has; until then a swap must wait.
    const { ticket, use, resultOf } = await model.during(async () => {
      const encoded = await this.#encode(model, request, context.signal);
      const images = await this.#images(model, request, context.signal);
      const encodeMs = this.#clock.now() - startedAt;
      const items = images ?? this.#items(model, request, encoded);
      const tokens = encoded?.ids.length;
      if (trace?.sampled === true) {
        trace.mark('encoded');
        trace.tokens = tokens === undefined ? undefined : (trace.tokens ?? 0) + tokens;
      }
      const refund = await this.#charge?.(context, { rows: rowsOf(items), tokens: tokens ?? 0 });
      const resultOf = resultsOf(info.signature, encoded, encodeMs);
      const onRide =
        onItem === undefined
          ? undefined
          : (index: number, ride: Ride<ItemOutput>): void => onItem(index, resultOf([ride], index));
      const ride: SubmitItems = (some, onSome) => {
        const over = [model.guard.admit(context)];
        const free = (): void => over.forEach((fn) => fn());
        try {
          over.push(this.#takeBytes(model, some));
          const boarded = model.batcher.submit(some, submit, onSome);
          void boarded.rides.then(free, free);
          return boarded;
        } catch (error) {
          free();
          throw error;
        }
      };
      try {
        const boarded: Partial<CachedTicket> & Pick<CachedTicket, 'ticket'> =
          model.cache === undefined
            ? { ticket: ride(items, onRide) }
            : await rideCached(model.cache, items, cachePolicyOf(context.cacheControl), ride, onRide);
        return { ...boarded, resultOf };
      } catch (error) {
        refund?.();
        throw error;
      }
    });
    if (use !== undefined) model.metrics.cached(use.hitRows, use.missRows);
    const rides = await ridesOf(ticket, context);
    trace?.mark('ran');
    const result = resultOf(rides, 0);
    return use === undefined ? result : { ...result, cache: use };
  }

  #takeBytes(model: ServedModel, items: readonly Item<Payload>[]): () => void {
    return this.#bytes.take(items, (code) =>
      model.metrics.onEvent({
        ...{ type: 'refused', rows: rowsOf(items), code },
        reason: code === 'QUEUE_FULL' ? 'full' : 'too_large',
      }),
    );
  }

  async #encode(
    model: ServedModel,
    { input, options }: InferRequest,
    signal: AbortSignal,
  ): Promise<EncodedTexts | undefined> {
    if (input.kind === 'tensors' || input.kind === 'images') return undefined;
    const { text } = model.info.card;
    const maxTokens = text?.maxTokens ?? 512;
    const { truncateFrom, window, wants } = options;
    if (input.kind === 'ids') return wholeIds(input, maxTokens, model.info.tokenizer?.vocabularySize, wants);
    return this.#codec.encode(model.key, input.texts, {
      maxTokens,
      truncate: options.truncate ?? text?.truncate ?? true,
      signal,
      ...(truncateFrom === undefined ? {} : { side: truncateFrom }),
      ...(window === undefined ? {} : { window }),
      ...(wants === undefined ? {} : { wants }),
    });
  }

  async #images(
    { info }: ServedModel,
    { input }: InferRequest,
    signal: AbortSignal,
  ): Promise<Item<Payload>[] | undefined> {
    if (input.kind !== 'images') return undefined;
    return itemsOfImages(await this.#codec.images.read(input, recipeFor(info), signal));
  }

  #items(
    { info }: ServedModel,
    { input, options }: InferRequest,
    encoded: EncodedTexts | undefined,
  ): Item<Payload>[] {
    if (input.kind === 'tensors') return itemsOfTensors(input, info);
    if (encoded === undefined) return [];
    if (options.pooled !== true || info.card.task !== 'embedding') return itemsOfTexts(encoded, info);
    const { pooling } = info.card.embedding;
    return itemsOfTexts(encoded, info, { output: embeddingOutput(info), pooling });
  }
}

/** Makes results of rides, those of a part of the items too: `from` is the position of the first. */
const resultsOf = (
  signature: Signature,
  encoded: EncodedTexts | undefined,
  encodeMs: number,
): ((rides: readonly Ride<ItemOutput>[], from: number) => InferResult) => {
  const texts = encoded === undefined ? undefined : factsOf(encoded);
  return (rides, from) => {
    const facts = texts?.slice(from, from + rides.length);
    return {
      items: rides.map(({ value }, i) => {
        const tokens = facts?.[i]?.tokens;
        return tokens === undefined ? value : ownTokens(signature, value, tokens);
      }),
      ...(facts === undefined ? {} : { texts: facts }),
      timings: {
        encodeMs,
        queueMs: largest(rides, (ride) => ride.queueMs),
        runMs: largest(rides, (ride) => ride.runMs),
        batchRows: largest(rides, (ride) => ride.groupRows),
      },
    };
  };
};

const ridesOf = async (ticket: Ticket<ItemOutput>, context: PipelineContext): Promise<Ride<ItemOutput>[]> => {
  const stopWatching = context.onGone(() => ticket.cancel());
  try {
    return await ticket.rides;
  } finally {
    stopWatching();
  }
};

/** @throws CarpoolError INPUT_TOO_LONG: ids are never cut; INVALID_REQUEST for one that is not in the vocabulary */
const wholeIds = (
  { ids, lengths }: IdsInput,
  maxTokens: number,
  vocabularySize = Infinity,
  wants: TextWants | undefined,
): EncodedTexts => {
  const long = lengths.findIndex((length) => length > maxTokens);
  if (long >= 0)
    throw new CarpoolError(
      'INPUT_TOO_LONG',
      `ids[${long}]: ${lengths[long] ?? 0} tokens, expected at most ${maxTokens}`,
    );
  const unknown = ids.find((id) => id < 0 || id >= vocabularySize);
  if (unknown !== undefined)
    throw new CarpoolError(
      'INVALID_REQUEST',
      `ids: expected token ids from 0 to ${vocabularySize - 1}, got ${unknown}`,
    );
  const truncated = new Uint8Array(lengths.length);
  return {
    ids,
    lengths,
    truncated,
    ...(wants === undefined ? {} : { special: new Uint8Array(ids.length) }),
  };
};

const rowsOf = (items: readonly Item<Payload>[]): number => items.reduce((sum, { rows }) => sum + rows, 0);

const largest = <T>(values: readonly T[], of: (value: T) => number): number =>
  values.reduce((max, value) => Math.max(max, of(value)), 0);
