import { areaOf, costMs } from '#batcher';
import { bestRule, capacityAtSlo, type Effort } from '../sim/capacity.js';
import { offlineCapacity } from '../sim/offline.js';
import { seededRandom } from '../sim/random.js';
import { NO_BATCHING, OURS, PEERS, ruleNamed } from '../sim/rules.js';
import type { Setting } from '../sim/setting.js';

/** Requests a second at which 99 of 100 are answered within the SLO, by simulation of the batcher that serves. */
export interface Capacities {
  readonly cost: number;
  readonly none: number;
  /** First come, first served, with the number of rows that suits it best. */
  readonly fifo: number;
  /** `fifo:8`: at most 8 rows a run. */
  readonly fifoRule: string;
}

/** A play must last for so many SLOs, or a queue that grows would not show. */
const SLOS = 20;
const LEAST_REQUESTS = 8_000;
const MOST_REQUESTS = 100_000;
const TOLERANCE = 0.01;
const SEED = 1;
/** Draws for the 95th percentile, and items for the first guess. */
const DRAWS = 2_000;

export const capacitiesOf = async (setting: Setting): Promise<Capacities> => {
  const cost = await capacityOf(setting);
  const none = await capacityAtSlo(NO_BATCHING, setting, effortFor(setting, cost), cost);
  const fifos = (PEERS['fifo'] ?? []).map(ruleNamed);
  const fifo = await bestRule(fifos, setting, effortFor(setting, cost), Math.max(none, cost / 2));
  return { cost, none, fifo: fifo?.capacity ?? 0, fifoRule: fifo?.rule.name ?? '' };
};

/** Of composition by cost. 0 where not even a lone request makes it. */
export const capacityOf = (setting: Setting): Promise<number> => {
  const guess = offlineCapacity(setting, DRAWS) / 2;
  return capacityAtSlo(OURS, setting, effortFor(setting, 2 * guess), guess);
};

const effortFor = ({ sloMs }: Setting, ratePerS: number): Effort => ({
  requests: Math.min(MOST_REQUESTS, Math.max(LEAST_REQUESTS, Math.ceil((SLOS * sloMs * ratePerS) / 1000))),
  seeds: [SEED],
  tolerance: TOLERANCE,
});

/** Full runs and lone runs of a long item that a queue may hold without any more room making a difference. */
const FULL_RUNS = 16;
const LONE_RUNS = 40;

/**
 * The longest SLO that is worth simulating: within it a setting reaches nearly the throughput that it has without any, and
 * a longer one would only need longer plays (a model of microseconds within 50 ms: tens of thousands in the queue).
 */
export const ampleSloMs = ({
  basis,
  cost,
  lengths,
  maxBatch,
  maxBatchTokens = Infinity,
}: Setting): number => {
  const random = seededRandom(SEED);
  const drawn = Array.from({ length: DRAWS }, () => lengths.draw(random)).sort((a, b) => a - b);
  const longest = drawn[Math.floor(0.95 * DRAWS)] ?? 1;
  const full = Math.max(1, Math.min(maxBatch, Math.floor(maxBatchTokens / longest)));
  const ms = (rows: number): number =>
    costMs(cost, areaOf(basis, { rows, tokens: rows * longest, longest }), longest);
  return Math.max(LONE_RUNS * ms(1), FULL_RUNS * ms(full));
};
