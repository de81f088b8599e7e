import { codeOf, messageOf, type ErrorCode } from '../../errors.js';
import type { Payload } from '../../executor/join.js';
import type { LaneOutput } from '../../executor/protocol.js';
import { sliceRows } from '../../tensor.js';
import { largestDifference } from './difference.js';
import type { ProbeRow } from './rows.js';
import type { Trial } from './trials.js';

/** The largest difference that was seen, and where. */
export interface Finding {
  /** Absolute below 1, relative above; Infinity for what has no distance. */
  readonly difference: number;
  /** Rows of the batch. */
  readonly rows: number;
  /** Place of the row in it, from 0. */
  readonly position: number;
  /** Its length and that of the longest. */
  readonly length: number;
  readonly longest: number;
  /** The batch failed, although each of its rows runs alone. */
  readonly problem?: string;
}

export interface MeasuredOutput {
  readonly name: string;
  /** Beside rows of equal length; undefined = not tried. */
  readonly equalLengths: Finding | undefined;
  /** Beside longer or shorter ones. */
  readonly padded: Finding | undefined;
}

export interface Measured {
  readonly outputs: readonly MeasuredOutput[];
  readonly runs: number;
  /** The budget ended it before all was tried. */
  readonly cutShort: boolean;
}

export interface MeasureDeps {
  /** Names of the outputs, in the order of the signature. */
  readonly outputs: readonly string[];
  readonly trials: Iterable<Trial>;
  /** Lane time to spend, milliseconds; one batch of equal lengths and one padded one are tried whatever they take. */
  readonly budgetMs: number;
  readonly run: (payloads: readonly Payload[]) => Promise<LaneOutput>;
}

type Kind = 'equalLengths' | 'padded';

/**
 * Runs rows alone and together and keeps the largest difference of every output.
 * @throws WORKER_LOST, MODEL_UNAVAILABLE: a lane that dies says nothing about rows
 */
export const measure = async (deps: MeasureDeps): Promise<Measured> => {
  const measuring = new Measuring(deps);
  for (const trial of deps.trials) await measuring.attempt(trial);
  return measuring.result;
};

/** These say nothing about rows: the lane died, or its successor has not opened the model. */
const NOT_OF_THE_MODEL: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['WORKER_LOST', 'MODEL_UNAVAILABLE']);

const NOTHING_RUNS: Finding = {
  difference: Infinity,
  rows: 0,
  position: 0,
  length: 0,
  longest: 0,
  problem: 'no made-up rows were found that run, so that it is not known whether they change each other',
};

class Measuring {
  readonly #deps: MeasureDeps;
  readonly #alone = new Map<ProbeRow, LaneOutput | string>();
  readonly #largest: Record<Kind, (Finding | undefined)[]> = { equalLengths: [], padded: [] };
  readonly #meant = new Set<Kind>();
  #runs = 0;
  #cutShort = false;
  #spentMs = 0;
  /** Rows times longest of all runs: what their time is laid to. */
  #area = 0;

  constructor(deps: MeasureDeps) {
    this.#deps = deps;
  }

  get result(): Measured {
    // What was meant to be tried and could not be is not known to be right.
    const of = (kind: Kind, output: number): Finding | undefined =>
      this.#largest[kind][output] ?? (this.#meant.has(kind) ? NOTHING_RUNS : undefined);
    const outputs = this.#deps.outputs.map((name, i) => ({
      name,
      equalLengths: of('equalLengths', i),
      padded: of('padded', i),
    }));
    return { outputs, runs: this.#runs, cutShort: this.#cutShort };
  }

  async attempt(trial: Trial): Promise<void> {
    if (this.#tooDear(trial)) {
      this.#cutShort = true;
      return;
    }
    this.#meant.add(kindOf(trial));
    for (const row of new Set(trial)) if (!this.#alone.has(row)) this.#alone.set(row, await this.#run([row]));
    // A row that can't run alone (a value that the model refuses, say) shows nothing in company.
    const rows = trial.filter((row) => typeof this.#alone.get(row) !== 'string');
    if (rows.length > 1) this.#compare(rows, await this.#run(rows));
  }

  #tooDear(trial: Trial): boolean {
    if (this.#largest[kindOf(trial)].length === 0) return false;
    const unknown = [...new Set(trial)].filter((row) => !this.#alone.has(row));
    const area = unknown.reduce((sum, { length }) => sum + length, areaOf(trial));
    return this.#spentMs + (area * this.#spentMs) / this.#area > this.#deps.budgetMs;
  }

  /** The output, or why there is none. */
  async #run(rows: Trial): Promise<LaneOutput | string> {
    this.#runs++;
    try {
      const output = await this.#deps.run(rows.map(({ payload }) => payload));
      this.#spentMs += output.laneMs;
      this.#area += areaOf(rows);
      return output;
    } catch (error) {
      if (NOT_OF_THE_MODEL.has(codeOf(error))) throw error;
      return messageOf(error);
    }
  }

  #compare(rows: Trial, together: LaneOutput | string): void {
    const largest = this.#largest[kindOf(rows)];
    for (const [i, name] of this.#deps.outputs.entries())
      for (const [position, row] of rows.entries()) {
        const alone = this.#alone.get(row);
        if (alone === undefined || typeof alone === 'string') continue;
        const found = {
          ...differenceAt(alone, together, i, position, rows.length, name),
          rows: rows.length,
          position,
          length: row.length,
          longest: longestOf(rows),
        };
        if (found.difference > (largest[i]?.difference ?? -1)) largest[i] = found;
      }
  }
}

const longestOf = (trial: Trial): number =>
  trial.reduce((longest, { length }) => Math.max(longest, length), 0);

const areaOf = (trial: Trial): number => trial.length * longestOf(trial);

const kindOf = (trial: Trial): Kind =>
  trial.every(({ length }) => length === trial[0]?.length) ? 'equalLengths' : 'padded';

const differenceAt = (
  alone: LaneOutput,
  together: LaneOutput | string,
  output: number,
  position: number,
  rows: number,
  name: string,
): { readonly difference: number; readonly problem?: string } => {
  if (typeof together === 'string')
    return { difference: Infinity, problem: `${rows} rows together fail: ${together}` };
  const one = alone.outputs[output];
  const all = together.outputs[output];
  if (one === undefined || all?.dims[0] !== rows) {
    const shape = all?.dims.join(',') ?? '?';
    return {
      difference: Infinity,
      problem: `output '${name}' has shape [${shape}] for ${rows} rows: no batch dimension`,
    };
  }
  return { difference: largestDifference(one, sliceRows(all, position, position + 1)) };
};
