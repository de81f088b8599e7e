import type { CostBasis } from '#batcher';
import type { TimedShape } from '../models/run-log.js';

/** The model as tuning sees it. */
export interface TunedModel {
  readonly name: string;
  /** Measured by length; the rows of other models are all alike. */
  readonly takesTexts: boolean;
  readonly basis: CostBasis;
  /** Longest text. */
  readonly maxTokens: number;
  /** Most rows of one run; 1 where rows are not joined. */
  readonly maxBatch: number;
  readonly maxBatchTokens: number;
  /** Runs may have any number of rows up to `maxBatch`. */
  readonly growsFreely: boolean;
  /** Why rows are not joined. */
  readonly reason?: string;
}

/** What capacities count. */
export const unitOf = ({ takesTexts }: TunedModel): string => (takesTexts ? 'texts/s' : 'rows/s');

/** What was measured of a model in one layout. */
export interface Measured {
  readonly model: TunedModel;
  /** One lane at work, the others idle: what a lone caller meets. */
  readonly lone: readonly TimedShape[];
  /** Every lane at work: what a server under load pays. */
  readonly busy: readonly TimedShape[];
  /** The SLO that the gateway goes by in this layout, milliseconds; `auto` where none is configured. */
  readonly slo: { readonly ms: number; readonly auto: boolean };
}

/** One model in the lanes of one layout, with nothing else in them. */
export interface Bench {
  /**
   * @param budgetMs time that it may take
   * @throws INVALID_REQUEST where not even one round of runs fits
   */
  measure(budgetMs: number): Promise<Measured>;
  close(): Promise<void>;
}
