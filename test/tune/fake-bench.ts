import { areaOf, costMs, type CostCoefficients } from '#batcher';
import type { LaneLayout } from '../../src/executor/cpu-quota.js';
import type { Bench, Measured, TunedModel } from '../../src/tune/measured.js';
import type { TimedShape } from '../../src/models/run-log.js';

export const TEXTS: TunedModel = {
  name: 'm',
  takesTexts: true,
  basis: 'padded',
  maxTokens: 128,
  maxBatch: 64,
  maxBatchTokens: 16_384,
  growsFreely: true,
};

export const timed = (rows: number, longest: number, p50Ms: number): TimedShape => ({
  rows,
  tokens: rows * longest,
  longest,
  p50Ms,
  runs: 3,
});

export const cost = (alphaMs: number, betaMsPerToken: number): CostCoefficients => ({
  alphaMs,
  betaMsPerToken,
  kneeTokens: 0,
  quadMsPerTokenSquared: 0,
});

/** Benches that find exactly these costs, and count how many of them are open. */
export class FakeBenches {
  readonly opened: string[] = [];
  open = 0;
  /** The layout whose measurement fails, as `2x1`. */
  fails: string | undefined;

  constructor(
    readonly model: TunedModel,
    readonly costOf: (layout: LaneLayout) => CostCoefficients,
    readonly slo: Measured['slo'] = { ms: 30, auto: true },
  ) {}

  readonly openBench = (layout: LaneLayout): Promise<Bench> => {
    const name = `${layout.count}x${layout.intraOpThreads}`;
    this.opened.push(name);
    this.open++;
    return Promise.resolve({
      measure: () =>
        name === this.fails
          ? Promise.reject(new Error('the lane was lost'))
          : Promise.resolve(this.#find(layout)),
      close: () => {
        this.open--;
        return Promise.resolve();
      },
    });
  };

  #find(layout: LaneLayout): Measured {
    const { model, slo } = this;
    const { basis, takesTexts, growsFreely, maxBatch } = model;
    const lengths = takesTexts ? [8, 16, 32, 64, 128] : [1];
    const rows = growsFreely ? [1, 4, 16, 64, 256] : [1, maxBatch];
    const busy = lengths
      .flatMap((longest) => rows.map((n) => timed(n, longest, 0)))
      .map((shape) => ({ ...shape, p50Ms: costMs(this.costOf(layout), areaOf(basis, shape), shape.longest) }))
      .sort((a, b) => a.tokens - b.tokens);
    const lone = takesTexts ? busy.filter((shape) => shape.rows === 1) : busy;
    return { model, lone, busy, slo };
  }
}
