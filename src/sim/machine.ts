import { Cores, Thread } from './cores.js';
import type { VirtualClock } from './virtual-clock.js';

/** What else than runs takes time, and of which cores. */
export interface MachineSpec {
  /** Shared by the lanes, the event loop and the load generator. */
  readonly cores: number;
  /** Work of the event loop before a request is in the queue, milliseconds. */
  readonly parseMs: number;
  /** Work of the event loop for an answer, milliseconds. */
  readonly answerMs: number;
  /** Work of whoever sends the requests, on the same cores, milliseconds a request. */
  readonly sendMs: number;
}

/**
 * The way of a request through the threads of a machine:
 *
 *   sender ─▶ event loop: parse ─▶ queue ─▶ lane ─▶ event loop: answer
 */
export interface Machine {
  /** From sent to parsed. */
  arrive(done: () => void): void;
  /** A run of a lane, which has a thread of its own. */
  lane(ms: number, done: () => void): void;
  /** The answers of a batch of so many requests. */
  answer(requests: number, done: () => void): void;
}

/** Without a specification all but the lanes takes no time, and each of them has a core of its own. */
export const machineOf = (clock: VirtualClock, spec: MachineSpec | undefined): Machine =>
  spec === undefined ? new IdealMachine(clock) : new SharedMachine(clock, spec);

class IdealMachine implements Machine {
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  arrive(done: () => void): void {
    done();
  }

  lane(ms: number, done: () => void): void {
    this.#clock.callAt(this.#clock.now() + ms, done);
  }

  answer(_requests: number, done: () => void): void {
    done();
  }
}

class SharedMachine implements Machine {
  readonly #spec: MachineSpec;
  readonly #cores: Cores;
  readonly #sender: Thread;
  readonly #loop: Thread;

  constructor(clock: VirtualClock, spec: MachineSpec) {
    this.#spec = spec;
    this.#cores = new Cores(clock, spec.cores);
    this.#sender = new Thread(this.#cores);
    this.#loop = new Thread(this.#cores);
  }

  arrive(done: () => void): void {
    const { sendMs, parseMs } = this.#spec;
    this.#sender.run(sendMs, () => this.#loop.run(parseMs, done));
  }

  lane(ms: number, done: () => void): void {
    this.#cores.run(ms, done);
  }

  answer(requests: number, done: () => void): void {
    this.#loop.run(this.#spec.answerMs * requests, done);
  }
}
