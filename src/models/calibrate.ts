import {
  areaOf,
  costMs,
  fitCost,
  type Clock,
  type CostModel,
  type CostSample,
  type RunShape,
} from '#batcher';
import { joinPayloads, type Payload } from '../executor/join.js';
import type { Lane } from '../executor/lane.js';
import type { LaneBatch } from '../executor/protocol.js';
import { RunLog } from './run-log.js';

export interface CalibrationDeps {
  readonly key: string;
  readonly cost: Pick<CostModel, 'basis' | 'predict' | 'observe' | 'calibrated'>;
  readonly clock: Clock;
  /** Rows that are known to run. */
  readonly samples: readonly Payload[];
  /** Most rows that ride together. */
  readonly maxBatch: number;
  /** Longest text. */
  readonly maxTokens: number;
  /** What every text is filled up to, where the file fixes it. */
  readonly textLength?: number;
  /** Length of the samples' rows where they are no texts: their shapes stay as they are. */
  readonly sampleLength: number;
  readonly fillTo?: number;
  /** Goes on until the budget is spent, though the fit may have settled long ago. Default false. */
  readonly untilSpent?: boolean;
  /** Most lane time to spend, milliseconds. */
  readonly budgetMs: number;
  /** For how long a lane is taken; see LaneRuns.occupied. */
  readonly occupied: (laneMs: number, elapsedMs: number) => number;
  /** Gives a lane, or says that there is none for now. */
  readonly withLane: <T>(work: (lane: Lane) => Promise<T>) => Promise<T> | undefined;
  /** Stops it, between two runs. */
  readonly signal: AbortSignal;
}

const ROWS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/** Of texts that are measured. */
export const LENGTHS: readonly number[] = [8, 16, 32, 64, 128, 256, 512];
/** Larger runs tell little that these do not, and take long. */
const MAX_AREA = 1_024;
/** Runs of a shape after each other, as a lane under load has them: the first meets the caches as another shape left them. */
const IN_A_ROW = 3;
/** A server that has just started is still compiling its own code, which passes for a fixed cost of every run. */
const MOST_ROUNDS = 12;
/** Two fits that differ by less, relative to what a run takes, are the same. */
const SETTLED = 0.03;
/** One run may take this part of the budget. */
const LARGEST_PART = 1 / 8;
const RETRY_MS = 25;

/**
 * Measures runs of many shapes and teaches them to the cost model, small ones first, until what is known of them no longer
 * changes or the budget is spent.
 * Every other round goes down again: right after a large run a small one takes up to three times its usual time.
 * @returns false when it was stopped, or when nothing was learnt
 */
export const calibrate = async (deps: CalibrationDeps): Promise<boolean> => {
  const { cost, budgetMs, untilSpent = false } = deps;
  const shapes = shapesOf(deps);
  const log = new RunLog();
  const known: (readonly CostSample[])[] = [];
  let spentMs = 0;
  for (let round = 0; untilSpent || round < MOST_ROUNDS; round++) {
    const isWarmUp = round === 0;
    let ran = false;
    for (const shape of round > 0 && round % 2 === 0 ? shapes.toReversed() : shapes) {
      if (deps.signal.aborted) return false;
      if (!isWarmUp && cost.predict(shape) > budgetMs * LARGEST_PART) continue;
      ran = true;
      let ms = 0;
      for (let nth = 1; nth <= (isWarmUp ? 1 : IN_A_ROW); nth++) {
        const run = await measure(deps, shape);
        if (run === undefined) return false;
        ms = run;
        spentMs += ms;
        if (nth === 1) continue;
        cost.observe(shape, ms);
        log.add(shape, ms);
      }
      // What is left is large: cold or warm makes little difference there, and time for measuring must be left.
      if (isWarmUp && (ms > budgetMs * LARGEST_PART || spentMs > budgetMs / 2)) break;
      if (spentMs > budgetMs) return settle(deps, log);
    }
    // Every shape is too long for the budget.
    if (!ran) break;
    known.push(samplesOf(log));
    // Not the round before: while times fall from round to round, a median stays where it is in every other one.
    const [before, , now] = known.slice(-3);
    if (!untilSpent && before !== undefined && now !== undefined && hasSettled(deps, before, now)) break;
  }
  return settle(deps, log);
};

/** The median of each shape counts: what another tenant of the core made of single runs does not. */
const samplesOf = ({ shapes }: RunLog): CostSample[] =>
  shapes.map(({ rows, tokens, longest, p50Ms }) => ({ shape: { rows, tokens, longest }, ms: p50Ms }));

const settle = ({ cost }: CalibrationDeps, log: RunLog): boolean => {
  const samples = samplesOf(log);
  if (samples.length === 0) return false;
  cost.calibrated(samples);
  return true;
};

/** Nothing that a plan asks of the cost has changed much: neither what a run takes nor how much of it is fixed. */
const hasSettled = (
  { cost: { basis } }: CalibrationDeps,
  before: readonly CostSample[],
  after: readonly CostSample[],
): boolean => {
  if (before.length < after.length) return false;
  const [a, b] = [fitCost(basis, before).coefficients, fitCost(basis, after).coefficients];
  return after.every(({ shape }) => {
    const [msA, msB] = [a, b].map((each) => costMs(each, areaOf(basis, shape), shape.longest)) as [
      number,
      number,
    ];
    return Math.max(Math.abs(msA - msB), Math.abs(a.alphaMs - b.alphaMs)) <= SETTLED * msB;
  });
};

const shapesOf = (deps: CalibrationDeps): RunShape[] => {
  const { maxBatch, fillTo } = deps;
  const lengths = lengthsOf(deps);
  const rows = (fillTo === undefined ? ROWS : [1, fillTo]).filter((n) => n <= maxBatch);
  return lengths
    .flatMap((length) => rows.map((n) => ({ rows: n, tokens: n * length, longest: length })))
    .filter(({ tokens, rows: n }) => tokens <= MAX_AREA || n === 1)
    .sort((a, b) => a.tokens - b.tokens);
};

const lengthsOf = ({ samples, maxTokens, textLength, sampleLength }: CalibrationDeps): readonly number[] => {
  if (samples[0]?.kind !== 'text') return [sampleLength];
  if (textLength === undefined) return LENGTHS.filter((length) => length <= maxTokens);
  return [textLength];
};

/** undefined when it was stopped before a lane was free. */
const measure = async (deps: CalibrationDeps, shape: RunShape): Promise<number | undefined> => {
  const batch = batchOf(deps.samples, shape);
  for (;;) {
    if (deps.signal.aborted) return undefined;
    const run = deps.withLane(async (lane) => {
      const sentAt = deps.clock.now();
      const { laneMs } = await lane.run(deps.key, batch, deps.fillTo);
      return deps.occupied(laneMs, deps.clock.now() - sentAt);
    });
    if (run !== undefined) return run;
    await pause(deps);
  }
};

/** Until lanes may have become free, or it is stopped: nobody who has closed a gateway wants a timer of it left. */
const pause = async ({ clock, signal }: CalibrationDeps): Promise<void> => {
  const over = new AbortController();
  await new Promise<void>((resolve) => {
    const cancel = clock.callAt(clock.now() + RETRY_MS, resolve);
    const stop = (): void => {
      cancel();
      resolve();
    };
    signal.addEventListener('abort', stop, { once: true, signal: over.signal });
  });
  over.abort();
};

/** Rows made of the samples: texts of exactly the length (their ids over again), tensors as they are. */
const batchOf = (samples: readonly Payload[], { rows, longest }: RunShape): LaneBatch =>
  joinPayloads(
    Array.from({ length: rows }, (_, row): Payload => {
      const sample = samples[row % samples.length];
      if (sample === undefined) throw new RangeError('calibration needs a sample');
      if (sample.kind === 'tensors') return sample;
      return {
        kind: 'text',
        ids: Int32Array.from({ length: longest }, (_id, i) => sample.ids[i % sample.ids.length] ?? 0),
      };
    }),
  );
