import type { ServerInterceptor } from '@grpc/grpc-js';
import { WalledCall, type CallLimits, type WalledCallDeps } from './walled-call.js';

export interface WallDeps extends Omit<WalledCallDeps, 'limits' | 'onClosed'>, CallLimits {
  /** Longest time that a stop waits. */
  readonly drainTimeoutMs: number;
}

/** Part of a stop's time that a client gets to send, and then again to read and to close its side: the stop has to be in time. */
const PART_OF_DRAIN = 0.25;

/** What ends calls whose clients are slow or hostile, before anybody has asked who they are. */
export class Wall {
  readonly #deps: WallDeps;
  readonly #calls = new Set<WalledCall>();
  #limits: CallLimits;

  constructor(deps: WallDeps) {
    this.#deps = deps;
    this.#limits = deps;
  }

  /** Has to be the first. */
  readonly interceptor: ServerInterceptor = (method, call) => {
    const walled = new WalledCall(method, call, {
      ...this.#deps,
      limits: () => this.#limits,
      onClosed: () => this.#calls.delete(walled),
    });
    this.#calls.add(walled);
    return walled;
  };

  /** A stop has begun: calls that wait for their clients get the rest of their time anew, but no more than a part of its. */
  hurry(): void {
    const mostMs = this.#deps.drainTimeoutMs * PART_OF_DRAIN;
    const { bodyTimeoutMs, sendTimeoutMs } = this.#deps;
    this.#limits = {
      bodyTimeoutMs: Math.min(bodyTimeoutMs, mostMs),
      sendTimeoutMs: Math.min(sendTimeoutMs, mostMs),
    };
    for (const call of this.#calls) call.hurry();
  }
}
