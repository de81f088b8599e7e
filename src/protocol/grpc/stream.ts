import type { ServerDuplexStream } from '@grpc/grpc-js';
import { once } from 'node:events';
import { CarpoolError } from '../../errors.js';
import { failExchange, type AnswerDeps } from './answer.js';
import { requireDecoded } from './decode.js';
import { GrpcExchange } from './exchange.js';
import type { Infer } from './infer.js';
import type { ModelInferRequest, ModelStreamInferResponse } from './messages.js';

type Call = ServerDuplexStream<ModelInferRequest, ModelStreamInferResponse>;

/** Requests of one stream that are worked on at a time; more are not read until one is answered. */
const MOST_IN_FLIGHT = 64;

/**
 * ModelStreamInfer: requests of one stream are run together, and answered in their order; an error is the answer of its
 * request and does not end the stream.
 */
export class InferStreams {
  readonly #infer: Infer;
  readonly #deps: AnswerDeps;
  readonly #open = new Set<InferStream>();
  #isClosing = false;

  constructor(infer: Infer, deps: AnswerDeps) {
    this.#infer = infer;
    this.#deps = deps;
  }

  /** Streams end when what they have sent is answered; what comes after this is refused. */
  close(): void {
    this.#isClosing = true;
    for (const stream of this.#open) stream.endSoon();
  }

  readonly handle = (call: Call): void => {
    const infer: Infer = (message, exchange) => {
      if (this.#isClosing) throw new CarpoolError('DRAINING', 'the gateway is shutting down');
      return this.#infer(message, exchange);
    };
    const stream = new InferStream(call, infer, this.#deps, () => this.#open.delete(stream));
    this.#open.add(stream);
    if (this.#isClosing) stream.endSoon();
  };
}

class InferStream {
  readonly #call: Call;
  readonly #infer: Infer;
  readonly #deps: AnswerDeps;
  readonly #onOver: () => void;
  readonly #exchanges = new Set<GrpcExchange>();
  /** Resolves when the client has gone. */
  readonly #gone: Promise<void>;
  #inFlight = 0;
  #isEnding = false;
  #written = Promise.resolve();

  constructor(call: Call, infer: Infer, deps: AnswerDeps, onOver: () => void) {
    this.#call = call;
    this.#infer = infer;
    this.#deps = deps;
    this.#onOver = onOver;
    this.#gone = new Promise((resolve) => {
      const lose = (): void => {
        for (const exchange of this.#exchanges) exchange.lose();
        onOver();
        resolve();
      };
      call.once('cancelled', lose).once('error', lose);
    });
    call.on('data', (message: ModelInferRequest) => this.#take(message));
    call.on('end', () => this.endSoon());
  }

  /** Ends it when all is answered. */
  endSoon(): void {
    this.#isEnding = true;
    if (this.#inFlight > 0) return;
    this.#onOver();
    this.#call.end();
  }

  #take(message: ModelInferRequest): void {
    if (++this.#inFlight >= MOST_IN_FLIGHT) this.#call.pause();
    const answer = this.#answer(message);
    this.#written = this.#written.then(async () => {
      await this.#write(await answer);
      this.#inFlight--;
      this.#call.resume();
      if (this.#isEnding) this.endSoon();
    });
  }

  /** Never rejects. */
  async #answer(message: ModelInferRequest): Promise<ModelStreamInferResponse> {
    const exchange = new GrpcExchange(this.#call, this.#deps);
    this.#exchanges.add(exchange);
    try {
      requireDecoded(message);
      const response = await this.#infer(message, exchange);
      exchange.finish();
      return { error_message: '', infer_response: response };
    } catch (error) {
      const { details } = failExchange(error, exchange, this.#deps.errorLog);
      const { id, model_name, model_version } = message;
      return { error_message: details, infer_response: { id, model_name, model_version } };
    } finally {
      this.#exchanges.delete(exchange);
    }
  }

  /** Waits while the client does not read. Never rejects. */
  async #write(response: ModelStreamInferResponse): Promise<void> {
    const call = this.#call;
    if (call.cancelled || call.destroyed || call.write(response)) return;
    await Promise.race([once(call, 'drain').catch(() => undefined), this.#gone]);
  }
}
