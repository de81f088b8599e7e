/** When a run counts as hung. Milliseconds. */
export interface RunLimits {
  /** Times the predicted time of the run. 0 = runs have no limit. */
  readonly factor: number;
  /** Never sooner than this. */
  readonly minMs: number;
  /** Never sooner than this while the prediction is a guess. */
  readonly firstMs: number;
}

export const runLimitMs = (
  predictedMs: number,
  isTrusted: boolean,
  { factor, minMs, firstMs }: RunLimits,
): number => {
  if (factor === 0) return Infinity;
  return Math.round(Math.max(factor * predictedMs, minMs, isTrusted ? 0 : firstMs));
};

export interface WatchedRun {
  readonly startedAt: number;
  readonly predictedMs: number;
  readonly limitMs: number;
}

export interface OverdueRun {
  readonly ageMs: number;
  readonly predictedMs: number;
}

/** After its limit, a lane gets this part of it to be given up in. */
const GRACE = 1.5;

/** The runs of one model that are under way. */
export class RunWatch {
  readonly #runs = new Set<WatchedRun>();

  /** @returns what ends it */
  begin(run: WatchedRun): () => void {
    this.#runs.add(run);
    return () => void this.#runs.delete(run);
  }

  /**
   * The oldest run that should have ended long ago: it is older than `minMs`, than `factor` times its prediction, and than
   * its own limit, after which its lane should have been given up.
   */
  overdue(now: number, factor: number, minMs: number): OverdueRun | undefined {
    let oldest: WatchedRun | undefined;
    for (const run of this.#runs) {
      const limitMs = run.limitMs === Infinity ? 0 : GRACE * run.limitMs;
      if (now - run.startedAt <= Math.max(minMs, factor * run.predictedMs, limitMs)) continue;
      if (oldest === undefined || run.startedAt < oldest.startedAt) oldest = run;
    }
    return oldest && { ageMs: now - oldest.startedAt, predictedMs: oldest.predictedMs };
  }
}
