import type { Tally } from './capacity.js';
import { reportOn } from './report.js';
import { OURS } from './rules.js';
import { openKnobs, type Setting } from './setting.js';
import { simulate } from './simulate.js';
import { poissonTrace, withBulk, type SimRequest } from './traces.js';

export interface Trial {
  readonly setting: Setting;
  /** Capacity at the SLO, requests a second. */
  readonly capacity: number;
  readonly seed: number;
  readonly requests: number;
}

/** Twice the capacity, each request with the SLO as its deadline. */
export interface OverloadTrial {
  /** Tokens answered in time, over those at capacity. */
  readonly goodputOfPeak: number;
  /** Share of the short half that was served, over that of the long half. */
  readonly shortToLong: number;
  readonly refusedShare: number;
  readonly lateShare: number;
}

export const overloadTrial = async (trial: Trial, tally?: Tally): Promise<OverloadTrial> => {
  const { setting, capacity, seed, requests } = trial;
  const { lengths, sloMs, lanes } = setting;
  const trace = poissonTrace({ requests, lengths, seed }, 2 * capacity);
  const report = reportOn(trace, await play(trial, trace, sloMs, tally), { lanes, sloMs });
  const tokens = trace.reduce((sum, request) => sum + (request.lengths[0] ?? 0), 0) / trace.length;
  return {
    goodputOfPeak: report.tokenGoodputPerS / (capacity * tokens),
    shortToLong: report.shortServed / report.longServed,
    refusedShare: report.refused / trace.length,
    lateShare: report.late / trace.length,
  };
};

/** Interactive requests at a tenth and at two fifths of the capacity, with and without a large request now and then. */
export interface BulkTrial {
  readonly everyMs: number;
  readonly loads: readonly {
    readonly share: number;
    readonly p99Ms: number;
    readonly p99WithBulkMs: number;
  }[];
}

const BULK_ROWS = 256;
const BULK_EVERY_MS = 600;
const INTERACTIVE_SHARES: readonly number[] = [0.1, 0.4];
/** Bulk may ask for so much of the capacity; where 256 rows every 600 ms are more, they come less often. */
const BULK_SHARE = 0.25;

export const bulkTrial = async (trial: Trial, tally?: Tally): Promise<BulkTrial> => {
  const { setting, capacity, seed, requests } = trial;
  const { lengths, lanes } = setting;
  const everyMs = Math.max(BULK_EVERY_MS, (BULK_ROWS * 1000) / (capacity * BULK_SHARE));
  const loads = [];
  for (const share of INTERACTIVE_SHARES) {
    const trace = poissonTrace({ requests, lengths, seed }, capacity * share);
    const mixed = withBulk(trace, { rows: BULK_ROWS, everyMs, lengths, seed: seed + 1 });
    const without = reportOn(trace, await play(trial, trace, Infinity, tally), { lanes });
    const withIt = reportOn(mixed, await play(trial, mixed, Infinity, tally), { lanes });
    loads.push({ share, p99Ms: without.p99Ms, p99WithBulkMs: withIt.p99Ms });
  }
  return { everyMs, loads };
};

const play = (
  { setting }: Trial,
  trace: readonly SimRequest[],
  deadlineMs: number,
  tally?: Tally,
): ReturnType<typeof simulate> => {
  if (tally !== undefined) tally.requests += trace.length;
  const { lanes, basis, cost } = setting;
  return simulate({
    requests: trace,
    plan: OURS.make(),
    knobs: openKnobs(setting),
    lanes,
    basis,
    cost,
    deadlineMs,
  });
};
