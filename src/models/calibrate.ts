import type { Clock, CostModel, RunShape } from '#batcher';
import { joinPayloads, type Payload } from '../executor/join.js';
import type { Lane } from '../executor/lane.js';
import type { LaneBatch } from '../executor/protocol.js';
import { RunLog } from './run-log.js';

export interface CalibrationDeps {
  readonly key: string;
  readonly cost: Pick<CostModel, 'predict' | 'observe' | 'calibrated'>;
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
  /** How often every shape is run, the first time to warm up. Default 4. */
  readonly rounds?: number;
  /** Runs of a shape in a row. Of several the first is not observed: it meets the caches as another shape left them. Default 1. */
  readonly inARow?: number;
  /** Lane time to spend, milliseconds. */
  readonly budgetMs: number;
  /** For how long a lane is taken; see ServedModel.occupied. */
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
/** The first round only warms caches and kernels for each shape. */
const ROUNDS = 4;
/** One run may take this part of the budget. */
const LARGEST_PART = 1 / 8;
const RETRY_MS = 25;

/**
 * Measures runs of many shapes and teaches them to the cost model, small ones first, until the budget is spent.
 * Every other round goes down again: right after a large run a small one takes up to three times its usual time.
 * @returns false when it was stopped, or when nothing was learnt
 */
export const calibrate = async (deps: CalibrationDeps): Promise<boolean> => {
  const { rounds = ROUNDS, inARow = 1 } = deps;
  const shapes = shapesOf(deps);
  const log = new RunLog();
  let spentMs = 0;
  for (let round = 0; round < rounds; round++) {
    let ran = false;
    for (const shape of round > 0 && round % 2 === 0 ? shapes.toReversed() : shapes) {
      if (deps.signal.aborted) return false;
      if (round > 0 && deps.cost.predict(shape) > deps.budgetMs * LARGEST_PART) continue;
      ran = true;
      let ms: number | undefined;
      for (let nth = 1; nth <= (round > 0 ? inARow : 1); nth++) {
        ms = await measure(deps, shape);
        if (ms === undefined) return false;
        spentMs += ms;
        if (round === 0 || (nth === 1 && inARow > 1)) continue;
        deps.cost.observe(shape, ms);
        log.add(shape, ms);
      }
      // What is left is large: cold or warm makes little difference there, and time for measuring must be left.
      if (round === 0 && ((ms ?? 0) > deps.budgetMs * LARGEST_PART || spentMs > deps.budgetMs / 2)) break;
      if (spentMs > deps.budgetMs) return settle(deps, log);
    }
    // Every shape is too long for the budget.
    if (!ran) break;
  }
  return settle(deps, log);
};

/** The median of each shape counts: what another tenant of the core made of single runs does not. */
const settle = ({ cost }: CalibrationDeps, { shapes }: RunLog): boolean => {
  if (shapes.length === 0) return false;
  cost.calibrated(
    shapes.map(({ rows, tokens, longest, p50Ms }) => ({ shape: { rows, tokens, longest }, ms: p50Ms })),
  );
  return true;
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
