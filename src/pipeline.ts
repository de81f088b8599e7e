import type { Clock, Item, Ride, Ticket } from '#batcher';
import type { Codec } from './codec/codec.js';
import type { EncodedTexts } from './codec/encode.js';
import { itemsOfTensors, itemsOfTexts } from './codec/items.js';
import type { Payload } from './executor/join.js';
import type { InferRequest, InferResult, ItemOutput } from './infer.js';
import type { ServedModel } from './models/served-model.js';

/** The caller's side of a request; an HTTP exchange is one. */
export interface PipelineContext {
  /** Milliseconds since the request came in: its timeout counts from there. */
  readonly elapsedMs: number;
  /** Whom the work is charged to: callers share the lanes fairly. */
  readonly caller: string;
  /** Fires when the client goes away; only made where something listens. */
  readonly signal: AbortSignal;
  /** Calls `fn` when the client goes away, at once if it has. @returns what stops that */
  onGone(fn: () => void): () => void;
}

/**
 * The way of every request, whatever protocol it came by; the only code that knows the order of the stages:
 *
 *   texts ─ encode ─▶ items ─ batcher ─▶ lane ─▶ rides ─▶ result
 */
export class Pipeline {
  readonly #codec: Codec;
  readonly #clock: Clock;

  constructor(codec: Codec, clock: Clock) {
    this.#codec = codec;
    this.#clock = clock;
  }

  /** @throws whatever the stages throw: see docs/errors.md */
  async infer(model: ServedModel, request: InferRequest, context: PipelineContext): Promise<InferResult> {
    const { info } = model;
    const startedAt = this.#clock.now();
    const arrivedAt = startedAt - context.elapsedMs;
    const { timeoutMs = info.batching.timeoutMs, priority = 0 } = request.options;
    const submit = { deadlineAt: arrivedAt + timeoutMs, caller: context.caller, priority };
    // The batcher finishes what it has; until then a swap must wait.
    const { encoded, encodeMs, ticket } = await model.during(async () => {
      const encoded = await this.#encode(model, request, context.signal);
      const encodeMs = this.#clock.now() - startedAt;
      return {
        encoded,
        encodeMs,
        ticket: model.batcher.submit(this.#items(model, request, encoded), submit),
      };
    });
    const rides = await ridesOf(ticket, context);
    return {
      items: rides.map((ride) => ride.value),
      ...(encoded === undefined ? {} : { texts: textsOf(encoded) }),
      timings: {
        encodeMs,
        queueMs: largest(rides, (ride) => ride.queueMs),
        runMs: largest(rides, (ride) => ride.runMs),
        batchRows: largest(rides, (ride) => ride.groupRows),
      },
    };
  }

  async #encode(
    model: ServedModel,
    { input, options }: InferRequest,
    signal: AbortSignal,
  ): Promise<EncodedTexts | undefined> {
    if (input.kind !== 'texts') return undefined;
    const { text } = model.info.card;
    const maxTokens = text?.maxTokens ?? 512;
    const truncate = options.truncate ?? text?.truncate ?? true;
    return this.#codec.encode(model.key, input.texts, { maxTokens, truncate, signal });
  }

  #items(model: ServedModel, { input }: InferRequest, encoded: EncodedTexts | undefined): Item<Payload>[] {
    if (input.kind === 'tensors') return itemsOfTensors(input, model.info);
    return encoded === undefined ? [] : itemsOfTexts(encoded, model.info);
  }
}

const ridesOf = async (ticket: Ticket<ItemOutput>, context: PipelineContext): Promise<Ride<ItemOutput>[]> => {
  const stopWatching = context.onGone(() => ticket.cancel());
  try {
    return await ticket.rides;
  } finally {
    stopWatching();
  }
};

const textsOf = ({ lengths, truncated }: EncodedTexts): NonNullable<InferResult['texts']> =>
  Array.from(lengths, (tokens, i) => ({ tokens, truncated: truncated[i] === 1 }));

const largest = <T>(values: readonly T[], of: (value: T) => number): number =>
  values.reduce((max, value) => Math.max(max, of(value)), 0);
