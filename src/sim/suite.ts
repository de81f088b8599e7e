import { wasteOf } from '#batcher';
import { bestRule, capacityAtSlo, playPoisson, type Effort, type Tally } from './capacity.js';
import { lognormalLengths, type LengthLaw } from './lengths.js';
import { bestLimitsCapacity, offlineCapacity } from './offline.js';
import { NO_BATCHING, OURS, PEERS, ruleNamed } from './rules.js';
import { batchingRatio, REGIMES, type Regime, type Setting } from './setting.js';
import { overloadTrial, bulkTrial, type BulkTrial, type OverloadTrial } from './trials.js';

/** Peers' parameters are chosen on these seeds, and so was the plan tuned; figures come from the others. */
const TUNING: Effort = { requests: 6_000, seeds: [11], tolerance: 0.01 };
const TESTING: Effort = { requests: 20_000, seeds: [201, 202, 203], tolerance: 0.004 };
const LAWS: readonly LengthLaw[] = [
  lognormalLengths(40, 0.8),
  lognormalLengths(90, 0.6),
  lognormalLengths(18, 1.0),
];
/** The default of the config: what an operator gets who changes nothing. */
const MAX_BATCH = 64;

/** One regime with one length law: everybody's capacity at the SLO, requests a second. */
export interface Cell {
  readonly regime: Regime;
  readonly law: string;
  /** Fixed cost of a run over what the mean length costs beyond it. */
  readonly r: number;
  readonly offline: number;
  readonly bestLimits: number;
  readonly capacity: number;
  readonly noBatching: number;
  /** Best parameters of each peer, and its capacity. */
  readonly peers: readonly { readonly rule: string; readonly capacity: number }[];
  readonly waste: number;
  readonly meanBatch: number;
  readonly overload: OverloadTrial;
  readonly bulk: BulkTrial;
}

export interface SuiteResult {
  /** What parameters were chosen on, and what the figures come from: no seed is in both. */
  readonly tuning: Effort;
  readonly testing: Effort;
  readonly cells: readonly Cell[];
  readonly requests: number;
  readonly seconds: number;
}

export interface SuiteOptions {
  readonly tuning?: Effort;
  readonly testing?: Effort;
  readonly regimes?: readonly Regime[];
  readonly laws?: readonly LengthLaw[];
  /** Names of rules to choose from, for each peer. */
  readonly peers?: Readonly<Record<string, readonly string[]>>;
  /** Items known at once for the offline bound. */
  readonly offlineItems?: number;
  /** Real time, for the simulator's own speed. */
  readonly nowMs: () => number;
  readonly onCell?: (cell: Cell) => void;
}

/** Capacity of the plan, of no batching and of every peer in nine settings; overload and bulk in each. */
export const runSuite = async (options: SuiteOptions): Promise<SuiteResult> => {
  const { regimes = ['gpu', 'knee', 'cpu'], laws = LAWS, tuning = TUNING, testing = TESTING } = options;
  const { nowMs, onCell } = options;
  const startMs = nowMs();
  const tally: Tally = { requests: 0 };
  const cells: Cell[] = [];
  for (const regime of regimes)
    for (const lengths of laws) {
      const setting = {
        ...REGIMES[regime],
        basis: 'padded',
        lanes: 1,
        lengths,
        maxBatch: MAX_BATCH,
      } as const;
      const cell = await runCell(regime, setting, options, tally);
      cells.push(cell);
      onCell?.(cell);
    }
  return { tuning, testing, cells, requests: tally.requests, seconds: (nowMs() - startMs) / 1000 };
};

const runCell = async (
  regime: Regime,
  setting: Setting,
  { tuning = TUNING, testing = TESTING, peers: families = PEERS, offlineItems }: SuiteOptions,
  tally: Tally,
): Promise<Cell> => {
  const offline = offlineCapacity(setting, offlineItems);
  const capacity = await capacityAtSlo(OURS, setting, testing, offline / 2, tally);
  const noBatching = await capacityAtSlo(NO_BATCHING, setting, testing, capacity / 2, tally);
  const peers: { rule: string; capacity: number }[] = [];
  for (const names of Object.values(families)) {
    const best = await bestRule(names.map(ruleNamed), setting, tuning, capacity / 2, tally);
    if (best === undefined) continue;
    // Nothing was found that holds the SLO at any rate: no number to refine.
    const tested =
      best.capacity === 0 ? 0 : await capacityAtSlo(best.rule, setting, testing, best.capacity, tally);
    peers.push({ rule: best.rule.name, capacity: tested });
  }
  const [seed = 1] = testing.seeds;
  const outcome = await playPoisson(OURS, setting, capacity, { requests: testing.requests, seed }, tally);
  const trial = { setting, capacity, seed, requests: testing.requests };
  return {
    regime,
    law: setting.lengths.name,
    r: batchingRatio(setting),
    offline,
    bestLimits: bestLimitsCapacity(setting, offlineItems),
    capacity,
    noBatching,
    peers: peers.sort((a, b) => b.capacity - a.capacity),
    waste: wasteOf(outcome.unpaddedMs, outcome.busyMs),
    meanBatch: outcome.rows / outcome.runs,
    overload: await overloadTrial(trial, tally),
    bulk: await bulkTrial(trial, tally),
  };
};
