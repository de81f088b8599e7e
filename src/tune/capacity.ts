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

/** Requests of one simulated play: as many as it needs, within these. */
export interface PlaySize {
  readonly least: number;
  readonly most: number;
}

const PLAY: PlaySize = { least: 6_000, most: 40_000 };
/** A play must last for so many SLOs, or a queue that grows would not show. */
const SLOS = 10;
/** The same, whatever `most` says: in fewer even twice the capacity would pass. */
const LEAST_SLOS = 5;
const TOLERANCE = 0.01;
const SEED = 1;
/** Draws for the 95th percentile. */
const DRAWS = 2_000;
/** Items that the first guess of a capacity is made with. */
const GUESS_ITEMS = 300;

export const capacitiesOf = async (setting: Setting, play = PLAY): Promise<Capacities> => {
  const cost = await capacityOf(setting, play);
  // Not even a lone request makes it: by no rule.
  if (cost === 0) return { cost, none: 0, fifo: 0, fifoRule: 'fifo' };
  const effort = effortFor(setting, cost, play);
  const none = await capacityAtSlo(NO_BATCHING, setting, effort, cost);
  const fifos = (PEERS['fifo'] ?? []).map(ruleNamed);
  const fifo = await bestRule(fifos, setting, effort, Math.max(none, cost / 2));
  return { cost, none, fifo: fifo?.capacity ?? 0, fifoRule: fifo?.rule.name ?? 'fifo' };
};

/** Of composition by cost. 0 where not even a lone request makes it. */
export const capacityOf = (setting: Setting, play = PLAY): Promise<number> => {
  const { lanes, maxBatch } = setting;
  const byRows = (lanes * maxBatch * 1000) / msOf(setting, maxBatch, 1);
  const ceiling = Math.min(offlineCapacity(setting, GUESS_ITEMS), byRows);
  return capacityAtSlo(OURS, setting, effortFor(setting, ceiling, play), ceiling / 2);
};

const effortFor = ({ sloMs }: Setting, ratePerS: number, { least, most }: PlaySize): Effort => {
  const perSlo = (sloMs * ratePerS) / 1000;
  const requests = Math.ceil(Math.max(least, Math.min(most, SLOS * perSlo), LEAST_SLOS * perSlo));
  return { requests, seeds: [SEED], tolerance: TOLERANCE };
};

/** Full runs, all lanes together, and lone runs of a long item: a queue that holds so many gains little by holding more. */
const FULL_RUNS = 16;
const LEAST_FULL_RUNS = 3;
const LONE_RUNS = 10;

/**
 * The longest SLO that is worth simulating: within it a setting reaches nearly the throughput that it has without any, and
 * a longer one would only need longer plays (a model of microseconds within 50 ms: tens of thousands in the queue).
 */
export const ampleSloMs = (setting: Setting): number => {
  const { lanes, lengths, maxBatch, maxBatchTokens = Infinity } = setting;
  const random = seededRandom(SEED);
  const drawn = Array.from({ length: DRAWS }, () => lengths.draw(random)).sort((a, b) => a - b);
  const longest = drawn[Math.floor(0.95 * DRAWS)] ?? 1;
  const full = Math.max(1, Math.min(maxBatch, Math.floor(maxBatchTokens / longest)));
  const fullRuns = Math.max(LEAST_FULL_RUNS, FULL_RUNS / lanes);
  return Math.max(LONE_RUNS * msOf(setting, 1, longest), fullRuns * msOf(setting, full, longest));
};

const msOf = ({ cost, basis }: Setting, rows: number, longest: number): number =>
  costMs(cost, areaOf(basis, { rows, tokens: rows * longest, longest }), longest);
