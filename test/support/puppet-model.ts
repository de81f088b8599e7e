import { Batcher, CostModel, planFifo, type BatcherKnobs, type Clock, type Ticket } from '#batcher';
import type { Contender } from '../../src/executor/arbiter.js';
import type { Lane } from '../../src/executor/lane.js';
import { rowsOf } from './lanes.js';
import { CHEAP, KNOBS, toItem } from './puppet-lanes.js';

/** A model behind a real batcher and a real pool; its lanes only have to answer, the values are made here. */
export class PuppetModel implements Contender {
  /** The batches that began, with their lanes. */
  readonly rides: { readonly lane: Lane; readonly payloads: readonly string[] }[] = [];
  readonly batcher: Batcher<string, string>;
  readonly #key: string;

  constructor(key: string, clock: Clock, requestLane: () => void, knobs: Partial<BatcherKnobs> = {}) {
    this.#key = key;
    this.batcher = new Batcher({
      clock,
      requestLane,
      plan: planFifo,
      cost: CostModel.known('rows', CHEAP),
      lanes: () => ({ total: 1, idle: 1 }),
      knobs: { ...KNOBS, ...knobs },
    });
  }

  get oldestArrivalMs(): number | undefined {
    return this.batcher.oldestArrivalMs;
  }

  ride(lane: Lane): Promise<void> | undefined {
    return this.batcher.ride(async (payloads) => {
      this.rides.push({ lane, payloads });
      const { runMs, laneMs } = await lane.run(this.#key, rowsOf(payloads.length));
      return { values: payloads.map((payload) => payload.toUpperCase()), runMs, laneMs };
    });
  }

  /** `names` as in PuppetLanes. */
  submit(names: string): Ticket<string> {
    return this.batcher.submit(names.split(' ').map(toItem));
  }
}

/** Lets everything happen that is due in this turn of the event loop and the next. */
export const turn = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
};
