import type { Knobs } from '#batcher';
import { Arbiter } from '../../src/executor/arbiter.js';
import type { PoolDeps } from '../../src/executor/pool-deps.js';
import { LanePool } from '../../src/executor/pool.js';
import type { LaneRequest } from '../../src/executor/protocol.js';
import { FakeClock } from './fake-clock.js';
import { puppetOpen, type PuppetLink, type PuppetOptions } from './puppet-link.js';
import { PuppetModel } from './puppet-model.js';

export interface PoolHarness {
  readonly pool: LanePool;
  readonly arbiter: Arbiter;
  readonly clock: FakeClock;
  readonly links: PuppetLink[];
  readonly restarts: string[];
  readonly faults: string[];
  /** A model that takes part; knobs as in PuppetLanes. */
  readonly model: (key: string, knobs?: Partial<Knobs>) => PuppetModel;
  /** Runs that wait for an answer; other requests are answered by themselves. */
  readonly held: { readonly request: LaneRequest; readonly link: PuppetLink }[];
  /** Answers the oldest held run. */
  readonly answer: () => void;
}

/** A real pool over puppet links whose runs wait until the test answers them. */
export const startPool = async (
  lanes: number,
  hold: (request: LaneRequest) => boolean = ({ type }) => type === 'run',
  onOpen?: PuppetOptions['onOpen'],
  more: Partial<PoolDeps> = {},
): Promise<PoolHarness> => {
  const held: PoolHarness['held'] = [];
  const { open, links } = puppetOpen({
    ...(onOpen === undefined ? {} : { onOpen }),
    onPost: (request, link) => {
      if (hold(request)) held.push({ request, link });
      else queueMicrotask(() => link.answer(request));
    },
  });
  const restarts: string[] = [];
  const faults: string[] = [];
  const arbiter = new Arbiter();
  const clock = new FakeClock();
  const pool = new LanePool({
    lanes,
    open,
    arbiter,
    onRestart: (reason) => restarts.push(reason),
    onFault: (message) => faults.push(message),
    ...more,
  });
  await pool.start();
  return {
    pool,
    arbiter,
    clock,
    links,
    restarts,
    faults,
    held,
    model: (key, knobs) => {
      const model = new PuppetModel(key, clock, pool.requestLane, knobs);
      arbiter.add(model);
      return model;
    },
    answer: () => {
      const oldest = held.shift();
      oldest?.link.answer(oldest.request);
    },
  };
};
