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

export interface CallLimits {
  /** Time for a call to send its message; of a stream, for each. Then it gets BODY_TIMEOUT. */
  readonly bodyTimeoutMs: number;
  /** Time for a client to read what was written. Then the call is reset. */
  readonly sendTimeoutMs: number;
}

export interface WalledCallDeps extends AnswerDeps {
  readonly connections: Pick<ConnectionMetrics, 'cut'>;
  /** As they are now. */
  readonly limits: () => CallLimits;
  readonly onClosed: () => void;
}

type Method = Parameters<ServerInterceptor>[0];

interface Timer {
  readonly handle: NodeJS.Timeout;
  readonly startAgain: () => void;
}

/** Longest time that a client may keep its side of a call open after it was answered. */
const LINGER_MS = 5_000;

/**
 * A call, and for how long it waits for its client.
 *
 *     call ── body ──▶ whole message ─▶ … ─▶ answer ── send ──▶ read ── linger ──▶ closed
 *               └ BODY_TIMEOUT                         └ reset            └ reset
 */
export class WalledCall extends ServerInterceptingCall {
  readonly #path: string;
  readonly #deps: WalledCallDeps;
  readonly #stream: ServerHttp2Stream;
  readonly #timers = new Map<'body' | 'send', Timer>();
  #metadata: Metadata | undefined;
  /** Messages written and not read. */
  #unread = 0;
  #isAnswered = false;

  constructor({ path, requestStream }: Method, call: ServerInterceptingCallInterface, deps: WalledCallDeps) {
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
      deps.onClosed();
    });
    // A stream may stay open without a message for as long as its client likes.
    if (requestStream) this.#timeMessages();
    else this.#awaitBody();
  }

  /** The limits are others now. */
  hurry(): void {
    for (const { startAgain } of [...this.#timers.values()]) startAgain();
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

  #awaitBody = (): void => {
    this.#start('body', this.#deps.limits().bodyTimeoutMs, this.#awaitBody, () => {
      // Then it is we who do not read.
      if (this.#stream.isPaused()) this.#awaitBody();
      else this.#refuse();
    });
  };

  #awaitReading = (): void => {
    this.#start('send', this.#deps.limits().sendTimeoutMs, this.#awaitReading, () => {
      if (this.#unread > 0) this.#deps.connections.cut('not_reading');
      this.#reset();
    });
  };

  #linger = (): void => {
    this.#isAnswered = true;
    this.#stop('body');
    const ms = Math.min(LINGER_MS, this.#deps.limits().sendTimeoutMs);
    this.#start('send', ms, this.#linger, () => this.#reset());
  };

  #refuse(): void {
    const metadata = this.#metadata;
    // Its metadata comes with the call, before any timer.
    if (metadata === undefined) {
      this.#reset();
      return;
    }
    const { limits, errorLog } = this.#deps;
    const exchange = new GrpcExchange(
      {
        ...{ cancelled: false, metadata, getPath: () => this.#path },
        ...{ getPeer: () => this.getPeer(), getDeadline: () => this.getDeadline() },
      },
      this.#deps,
    );
    const error = new CarpoolError(
      'BODY_TIMEOUT',
      `expected the whole message within ${limits().bodyTimeoutMs} ms`,
    );
    this.sendStatus(failExchange(error, exchange, errorLog));
  }

  #reset(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #start(name: 'body' | 'send', ms: number, startAgain: () => void, then: () => void): void {
    this.#stop(name);
    if (!this.#stream.destroyed) this.#timers.set(name, { handle: setTimeout(then, ms), startAgain });
  }

  #stop(name: 'body' | 'send'): void {
    clearTimeout(this.#timers.get(name)?.handle);
    this.#timers.delete(name);
  }
}
