import type { CostCoefficients } from '#batcher';
import type { LaneLayout } from '../executor/cpu-quota.js';
import type { Capacities } from './capacity.js';
import type { LengthGain, RowsGain } from './gains.js';
import type { TunedModel } from './measured.js';
import type { TimedShape } from '../models/run-log.js';

export interface LayoutReport {
  readonly layout: LaneLayout;
  readonly lone: readonly TimedShape[];
  readonly busy: readonly TimedShape[];
  /** Fitted to `busy`. */
  readonly cost: CostCoefficients;
  /** Mean relative error of the fit. */
  readonly error: number;
  readonly loneShortMs: number;
  readonly loneLongMs: number;
  readonly capacity: Capacities;
}

/** Rows of a run, and tokens of each. */
export interface Size {
  readonly rows: number;
  readonly longest: number;
}

/** All that `carpool tune` found; what `--json` prints. */
export interface TuneReport {
  readonly model: TunedModel;
  readonly cores: number;
  readonly slo: { readonly ms: number; readonly from: 'option' | 'config' | 'auto' };
  /** The SLO that was simulated: shorter where a longer one would make no difference. */
  readonly simulatedSloMs: number;
  /** Law of the lengths that were simulated; absent where rows are all alike. */
  readonly lengths?: string;
  /** What the two lone figures of each layout are for. */
  readonly short: Size;
  readonly long: Size;
  readonly layouts: readonly LayoutReport[];
  /** In the recommended layout with every lane busy: by length for texts, by rows for others. */
  readonly gains: {
    readonly byLength?: readonly LengthGain[];
    readonly byRows?: readonly RowsGain[];
  };
  readonly recommended: {
    readonly layout: LaneLayout;
    readonly maxBatch: number;
    readonly maxBatchTokens: number;
    readonly capacity: number;
    readonly why: string;
    readonly yaml: string;
  };
}
