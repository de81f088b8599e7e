import {
  ServerInterceptingCall,
  type Metadata,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { CarpoolError } from '../../errors.js';
import type { ConnectionMetrics } from '../../telemetry/connection-metrics.js';
import { failExchange, type AnswerDeps } from './answer.js';
import { streamOf } from './call-stream.js';
import { GrpcExchange } from './exchange.js';
import { MessageMeter } from './message-meter.js';

export interface WallDeps extends AnswerDeps {
  readonly connections: Pick<ConnectionMetrics, 'cut'>;
  /** Time for a call to send its message; of a stream, for each. Then it gets BODY_TIMEOUT. */
  readonly bodyTimeoutMs: number;
  /** Time for a client to read what was written. Then the call is reset. */
  readonly sendTimeoutMs: number;
}

type Method = Parameters<ServerInterceptor>[0];
type Timer = 'body' | 'send';

/** Longest time that a client may keep its side of a call open after it was answered. */
const LINGER_MS = 5_000;

/**
 * Ends calls whose clients are slow or hostile, before anybody has asked who they are: has to be the first interceptor.
 *
 *     call ── body ──▶ whole message ─▶ … ─▶ answer ── send ──▶ read ── linger ──▶ closed
 *               └ BODY_TIMEOUT                         └ reset            └ reset
 */
export const wallInterceptor =
  (deps: WallDeps): ServerInterceptor =>
  (method, call) =>
    new WalledCall(method, call, deps);

class WalledCall extends ServerInterceptingCall {
  readonly #path: string;
  readonly #deps: WallDeps;
  readonly #stream: ServerHttp2Stream;
  readonly #timers: Partial<Record<Timer, NodeJS.Timeout>> = {};
  #metadata: Metadata | undefined;
  /** Messages written and not read. */
  #unread = 0;
  #isAnswered = false;

  constructor({ path, requestStream }: Method, call: ServerInterceptingCallInterface, deps: WallDeps) {
    super(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            this.#metadata = metadata;
            pass(metadata);
          },
          // The library's word for over, too: the answer is out, or the deadline has passed, or the client has gone.
          onCancel: () => this.#linger(),
        }),
    });
    this.#path = path;
    this.#deps = deps;
    this.#stream = streamOf(call);
    this.#stream.once('end', () => this.#stop('body'));
    this.#stream.once('close', () => {
      this.#stop('body');
      this.#stop('send');
    });
    // A stream may stay open without a message for as long as its client likes.
    if (requestStream) this.#timeMessages();
    else this.#awaitBody();
  }

  override sendMessage(message: unknown, callback: () => void): void {
    if (this.#unread++ === 0) this.#awaitReading();
    super.sendMessage(message, () => {
      this.#stop('send');
      if (--this.#unread > 0 || this.#isAnswered) this.#awaitReading();
      callback();
    });
  }

  override sendStatus(status: Parameters<ServerInterceptingCallInterface['sendStatus']>[0]): void {
    this.#isAnswered = true;
    this.#stop('body');
    if (this.#unread === 0) this.#awaitReading();
    super.sendStatus(status);
  }

  #timeMessages(): void {
    const meter = new MessageMeter();
    this.#stream.on('data', (chunk: Buffer) => {
      const wasInside = meter.isInside;
      const hasEnded = meter.add(chunk);
      if (hasEnded || !meter.isInside) this.#stop('body');
      if (meter.isInside && (hasEnded || !wasInside) && !this.#isAnswered) this.#awaitBody();
    });
  }

  #awaitBody(): void {
    this.#start('body', this.#deps.bodyTimeoutMs, () => {
      // Then it is we who do not read.
      if (this.#stream.isPaused()) this.#awaitBody();
      else this.#refuse();
    });
  }

  #awaitReading(): void {
    this.#start('send', this.#deps.sendTimeoutMs, () => {
      if (this.#unread > 0) this.#deps.connections.cut('not_reading');
      this.#reset();
    });
  }

  #linger(): void {
    this.#isAnswered = true;
    this.#stop('body');
    this.#start('send', Math.min(LINGER_MS, this.#deps.sendTimeoutMs), () => this.#reset());
  }

  #refuse(): void {
    const metadata = this.#metadata;
    // Its metadata comes with the call, before any timer.
    if (metadata === undefined) {
      this.#reset();
      return;
    }
    const { bodyTimeoutMs, errorLog } = this.#deps;
    const exchange = new GrpcExchange(
      {
        ...{ cancelled: false, metadata, getPath: () => this.#path },
        ...{ getPeer: () => this.getPeer(), getDeadline: () => this.getDeadline() },
      },
      this.#deps,
    );
    const error = new CarpoolError('BODY_TIMEOUT', `expected the whole message within ${bodyTimeoutMs} ms`);
    this.sendStatus(failExchange(error, exchange, errorLog));
  }

  #reset(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #start(timer: Timer, ms: number, then: () => void): void {
    this.#stop(timer);
    if (!this.#stream.destroyed) this.#timers[timer] = setTimeout(then, ms);
  }

  #stop(timer: Timer): void {
    clearTimeout(this.#timers[timer]);
  }
}
