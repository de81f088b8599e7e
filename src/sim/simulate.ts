import {
  areaOf,
  Batcher,
  CostModel,
  costMs,
  unpaddedMs,
  type BatcherKnobs,
  type CostBasis,
  type CostCoefficients,
  type Group,
  type PlanFn,
  type RunResult,
} from '#batcher';
import { machineOf, type Machine, type MachineSpec } from './machine.js';
import type { SimRequest } from './traces.js';
import { VirtualClock } from './virtual-clock.js';

export interface Scenario {
  readonly requests: readonly SimRequest[];
  /** Closed loop with so many clients, each with one request under way; absent = open loop. */
  readonly clients?: number;
  readonly plan: PlanFn;
  readonly knobs: BatcherKnobs;
  readonly lanes: number;
  readonly basis: CostBasis;
  /** What runs cost. */
  readonly cost: CostCoefficients;
  /** What the batcher believes at first; it learns from every run. Default: the truth. */
  readonly believed?: CostCoefficients;
  /** What HTTP takes, and the cores that it shares with the lanes. Default: nothing, and a core for every lane. */
  readonly machine?: MachineSpec;
  /** Time that each request has; Infinity = any. */
  readonly deadlineMs: number;
  /** Ends the play once more than `misses` requests, of those from the index `from`, took longer than `afterMs`. */
  readonly giveUp?: { readonly afterMs: number; readonly misses: number; readonly from: number };
}

/** What became of a request. */
export const FATE = { unknown: 0, served: 1, refused: 2, late: 3 } as const;

/** One number for every request, in the order of the trace. */
export interface Outcome {
  readonly fate: Uint8Array;
  /** From sent to the last row's answer; NaN where there was none. */
  readonly latencyMs: Float64Array;
  readonly endMs: number;
  /** Lane time taken, all lanes together. */
  readonly busyMs: number;
  /** What is left of `busyMs` without padding. */
  readonly unpaddedMs: number;
  readonly runs: number;
  readonly rows: number;
  readonly gaveUp: boolean;
  /** Requests that were sent before it ended. */
  readonly sent: number;
}

/** Plays a trace on a virtual clock through the batcher that serves: plan, admission, deadlines, classes and all. */
export const simulate = (scenario: Scenario): Promise<Outcome> => new Play(scenario).run();

class Play {
  readonly #scenario: Scenario;
  readonly #clock = new VirtualClock();
  readonly #machine: Machine;
  readonly #batcher: Batcher<number, number>;
  readonly #fate: Uint8Array;
  readonly #latencyMs: Float64Array;
  readonly #sentAt: Float64Array;
  readonly #rowsLeft: Int32Array;
  #next = 0;
  #idle: number;
  #asked = false;
  /** Runs that have ended, and lanes that came back: the second follows the first in microtasks. */
  #ended = 0;
  #freed = 0;
  #misses = 0;
  #busyMs = 0;
  #unpaddedMs = 0;
  #runs = 0;
  #rows = 0;

  constructor(scenario: Scenario) {
    const { requests, knobs, plan, basis, cost, believed, lanes } = scenario;
    this.#scenario = scenario;
    this.#machine = machineOf(this.#clock, scenario.machine);
    this.#fate = new Uint8Array(requests.length);
    this.#latencyMs = new Float64Array(requests.length).fill(NaN);
    this.#sentAt = new Float64Array(requests.length);
    this.#rowsLeft = Int32Array.from(requests, ({ lengths }) => lengths.length);
    this.#idle = lanes;
    this.#batcher = new Batcher({
      clock: this.#clock,
      knobs,
      plan,
      cost: CostModel.known(basis, believed ?? cost),
      lanes: () => ({ total: lanes, idle: this.#idle }),
      requestLane: () => {
        this.#asked = true;
      },
    });
  }

  async run(): Promise<Outcome> {
    const { requests, clients, giveUp } = this.#scenario;
    const open = clients === undefined;
    if (!open) for (let i = 0; i < clients; i++) this.#think();
    let gaveUp = false;
    for (;;) {
      const comesAt = open ? requests[this.#next]?.atMs : undefined;
      const timerAt = this.#clock.nextAt;
      if (comesAt !== undefined && (timerAt === undefined || comesAt <= timerAt)) {
        this.#clock.moveTo(comesAt);
        this.#send(this.#next++);
      } else if (timerAt === undefined) break;
      else {
        this.#clock.fireNext();
        // Answers and freed lanes come in microtasks; refusals take one.
        do await Promise.resolve();
        while (this.#freed < this.#ended);
      }
      this.#grant();
      gaveUp = giveUp !== undefined && this.#misses > giveUp.misses;
      if (gaveUp) break;
    }
    return {
      fate: this.#fate,
      latencyMs: this.#latencyMs,
      endMs: this.#clock.now(),
      busyMs: this.#busyMs,
      unpaddedMs: this.#unpaddedMs,
      runs: this.#runs,
      rows: this.#rows,
      gaveUp,
      sent: this.#next,
    };
  }

  /** A client of a closed loop takes the next request, thinks, and sends it. */
  #think(): void {
    const index = this.#next;
    const request = this.#scenario.requests[index];
    if (request === undefined) return;
    this.#next++;
    this.#clock.callAt(this.#clock.now() + request.atMs, () => this.#send(index));
  }

  #send(index: number): void {
    const request = this.#scenario.requests[index];
    if (request === undefined) return;
    this.#sentAt[index] = this.#clock.now();
    this.#machine.arrive(() => this.#submit(index, request));
  }

  #submit(index: number, request: SimRequest): void {
    const now = this.#sentAt[index] ?? 0;
    const items = request.lengths.map((length) => ({ rows: 1, length, compat: '', payload: index }));
    const deadlineAt = now + this.#scenario.deadlineMs;
    const { caller } = request;
    try {
      const ticket = this.#batcher.submit(items, { deadlineAt, ...(caller === undefined ? {} : { caller }) });
      ticket.rides.catch(() => this.#settle(index, FATE.late));
    } catch {
      this.#settle(index, FATE.refused);
    }
  }

  #settle(index: number, fate: number): void {
    if (this.#fate[index] !== FATE.unknown) return;
    this.#fate[index] = fate;
    if (this.#scenario.clients !== undefined) this.#think();
    if (fate === FATE.served) {
      const ms = this.#clock.now() - (this.#sentAt[index] ?? 0);
      this.#latencyMs[index] = ms;
      if (ms <= (this.#scenario.giveUp?.afterMs ?? Infinity)) return;
    }
    if (index >= (this.#scenario.giveUp?.from ?? 0)) this.#misses++;
  }

  #grant(): void {
    while (this.#asked && this.#idle > 0) {
      this.#asked = false;
      this.#idle--;
      const ride = this.#batcher.ride(this.#runGroup);
      if (ride === undefined) {
        this.#idle++;
        continue;
      }
      void ride.then(() => {
        this.#idle++;
        this.#freed++;
        this.#asked = true;
      });
    }
  }

  readonly #runGroup = (payloads: readonly number[], group: Group): Promise<RunResult<number>> => {
    const { cost, basis } = this.#scenario;
    const ms = costMs(cost, areaOf(basis, group), group.longest);
    this.#busyMs += ms;
    this.#unpaddedMs += unpaddedMs(cost, basis, group);
    this.#runs++;
    this.#rows += group.rows;
    const startedAt = this.#clock.now();
    return new Promise((resolve) => {
      this.#machine.lane(ms, () => {
        const laneMs = this.#clock.now() - startedAt;
        this.#machine.answer(payloads.length, () => {
          this.#ended++;
          for (const index of payloads) {
            const left = (this.#rowsLeft[index] ?? 0) - 1;
            this.#rowsLeft[index] = left;
            if (left === 0) this.#settle(index, FATE.served);
          }
          resolve({ values: payloads, runMs: laneMs, laneMs });
        });
      });
    });
  };
}
