import {
  Batcher,
  CostModel,
  planFifo,
  type BatcherEvent,
  type BatcherKnobs,
  type CostCoefficients,
  type PlanFn,
  type Group,
  type Item,
  type Ride,
  type SubmitOptions,
  type Ticket,
} from '#batcher';
import { FakeClock, settle } from './fake-clock.js';

export interface PuppetRun {
  readonly payloads: readonly string[];
  readonly group: Group;
  /** Ends the run: every payload answers in upper case. */
  finish(): Promise<void>;
  /** Ends it with these values, right or wrong. */
  answer(values: readonly string[]): Promise<void>;
  fail(code: string): Promise<void>;
  /** Its lane was given up. */
  hang(): Promise<void>;
}

export const KNOBS: BatcherKnobs = {
  maxBatch: 4,
  maxWaitMs: 0,
  echoHoldMs: 0,
  maxBatchTokens: 1000,
  maxQueue: 100,
  join: true,
  sloMs: 100_000,
  shedding: true,
};

/** Runs cost next to nothing: nobody is refused or shed by prediction. */
export const CHEAP: CostCoefficients = {
  alphaMs: 0.001,
  betaMsPerToken: 0.0001,
  kneeTokens: 0,
  quadMsPerTokenSquared: 0,
};

/** Lanes in place of the executor: the test decides when a lane is free and when a run ends. */
export class PuppetLanes {
  readonly clock = new FakeClock();
  readonly events: BatcherEvent[] = [];
  readonly runs: PuppetRun[] = [];
  readonly batcher: Batcher<string, string>;
  /** What `ride` threw. */
  readonly faults: unknown[] = [];
  /** Lanes that have died, as the batcher is told. */
  lost: number | undefined;
  #asked = false;
  #free: number;

  constructor(
    knobs: Partial<BatcherKnobs> = {},
    lanes = 1,
    {
      plan = planFifo,
      cost = CHEAP,
      onEvent = () => undefined,
    }: { plan?: PlanFn; cost?: CostCoefficients; onEvent?: (event: BatcherEvent) => void } = {},
  ) {
    this.#free = lanes;
    this.batcher = new Batcher<string, string>({
      clock: this.clock,
      knobs: { ...KNOBS, ...knobs },
      plan,
      cost: CostModel.known('padded', cost),
      lanes: () => ({
        total: lanes,
        idle: this.#free,
        ...(this.lost === undefined ? {} : { lost: this.lost }),
      }),
      requestLane: () => {
        this.#asked = true;
        queueMicrotask(() => this.#grant());
      },
      onEvent: (event) => {
        this.events.push(event);
        onEvent(event);
      },
    });
  }

  /** The batches run so far, by payload: a batcher test in one line. */
  get history(): string[][] {
    return this.runs.map((run) => [...run.payloads]);
  }

  get freeLanes(): number {
    return this.#free;
  }

  submit(names: string, options: SubmitOptions = {}): Ticket<string> {
    return this.batcher.submit(names.split(' ').filter(Boolean).map(toItem), options);
  }

  /** The last run that has not ended. */
  async finishAll(): Promise<void> {
    for (let i = 0; i < this.runs.length; i++) {
      await this.runs[i]?.finish();
      await settle();
    }
  }

  #grant(): void {
    // Like the pool: a lane is granted only to who asked, and asking is over when it is granted.
    if (this.#free === 0 || !this.#asked) return;
    this.#asked = false;
    this.#free--;
    const done = this.#ride();
    if (done === undefined) {
      this.#free++;
      this.#grant();
    } else
      void done.then(() => {
        this.#free++;
        this.#grant();
      });
  }

  #ride(): Promise<void> | undefined {
    try {
      return this.#rideInTurn();
    } catch (error) {
      this.faults.push(error);
      return undefined;
    }
  }

  #rideInTurn(): Promise<void> | undefined {
    return this.batcher.ride((payloads, group) => {
      return new Promise((resolve, reject) => {
        const end = async (fn: () => void): Promise<void> => {
          fn();
          await settle();
        };
        this.runs.push({
          payloads,
          group,
          finish: () =>
            end(() => resolve({ values: payloads.map((p) => p.toUpperCase()), runMs: 10, laneMs: 10 })),
          answer: (values) => end(() => resolve({ values, runMs: 10, laneMs: 10 })),
          hang: () =>
            end(() => reject(Object.assign(new Error('hung'), { code: 'WORKER_LOST', hung: true }))),
          fail: (code) => end(() => reject(Object.assign(new Error(`run failed: ${code}`), { code }))),
        });
      });
    });
  }
}

/** `a` = one row of length 1; `a=k` has the identity k; `a:12` = length 12; `a*3` = three rows; `a@x` = shape x; combined `a:12*3@x`. */
export const toItem = (text: string): Item<string> => ({
  payload: text.split(/[:*@=]/)[0] ?? '',
  length: Number(/:(\d+)/.exec(text)?.[1] ?? 1),
  rows: Number(/\*(\d+)/.exec(text)?.[1] ?? 1),
  compat: /@(\w+)/.exec(text)?.[1] ?? '',
  ...identityOf(text),
});

const identityOf = (text: string): { identity?: string } => {
  const identity = /=(\w+)/.exec(text)?.[1];
  return identity === undefined ? {} : { identity };
};

export const values = async (ticket: Ticket<string>): Promise<string[]> =>
  (await ticket.rides).map((ride: Ride<string>) => ride.value);

export const codeOf = async (ticket: Ticket<string>): Promise<string> =>
  ticket.rides.then(
    () => 'answered',
    (error: unknown) => String((error as { code?: unknown }).code),
  );
