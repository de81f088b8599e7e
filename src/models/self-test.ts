import { messageOf } from '../errors.js';
import { joinPayloads, type Payload } from '../executor/join.js';
import type { LaneBatch, LaneOutput } from '../executor/protocol.js';
import { sliceRows, type Tensor } from '../tensor.js';
import type { BatchAxis } from './batch-axis.js';
import type { BatchMode } from './model-info.js';
import type { Signature } from './signature.js';

export interface SelfTest {
  readonly mode: BatchMode;
  /** Rows that are known to run, for the warm-up; empty when none was found. */
  readonly samples: readonly Payload[];
}

export interface SelfTestDeps {
  readonly signature: Signature;
  readonly axis: BatchAxis;
  /** Sets of three single rows that differ; the first set that runs is used. */
  readonly candidates: readonly (readonly Payload[])[];
  /** Largest difference that counts as equal, absolute and relative. */
  readonly tolerance: number;
  readonly run: (batch: LaneBatch, fillTo?: number) => Promise<LaneOutput>;
}

/**
 * Runs rows alone and then together, takes the joint answer apart again, and compares. A model whose rows change each
 * other, or whose outputs don't carry the batch on axis 0, is served one request at a time: nothing else would be right.
 */
export const selfTest = async (deps: SelfTestDeps): Promise<SelfTest> => {
  const { axis, signature, tolerance, run } = deps;
  const fillTo = axis.kind === 'fixed' ? axis.size : undefined;
  const found = await firstThatRuns(deps, fillTo);
  if (typeof found === 'string') return single(`the self-test found no input that runs: ${found}`, []);
  const { samples, alone } = found;
  if (axis.kind === 'none') return single(axis.reason, samples);

  const rows = axis.kind === 'fixed' ? samples.slice(0, axis.size) : samples;
  for (const order of [rows, rows.toReversed()]) {
    let together: LaneOutput;
    try {
      together = await run(joinPayloads(order), fillTo);
    } catch (error) {
      return single(`${rows.length} rows together fail: ${messageOf(error)}`, samples);
    }
    const reason = compare(signature, order, (row) => alone[samples.indexOf(row)], together, tolerance);
    if (reason !== undefined) return single(reason, samples);
  }
  return { mode: axis.kind === 'fixed' ? { mode: 'fixed', size: axis.size } : { mode: 'dynamic' }, samples };
};

const single = (reason: string, samples: readonly Payload[]): SelfTest => ({
  mode: { mode: 'single', reason },
  samples,
});

const firstThatRuns = async (
  { candidates, run }: SelfTestDeps,
  fillTo: number | undefined,
): Promise<{ samples: readonly Payload[]; alone: LaneOutput[] } | string> => {
  let reason = 'none was made';
  for (const samples of candidates) {
    try {
      const alone: LaneOutput[] = [];
      for (const sample of samples) alone.push(await run(joinPayloads([sample]), fillTo));
      return { samples, alone };
    } catch (error) {
      reason = messageOf(error);
    }
  }
  return reason;
};

const compare = (
  signature: Signature,
  rows: readonly Payload[],
  aloneOf: (row: Payload) => LaneOutput | undefined,
  together: LaneOutput,
  tolerance: number,
): string | undefined => {
  for (const [i, { name }] of signature.outputs.entries()) {
    const joint = together.outputs[i];
    if (joint?.dims[0] !== rows.length)
      return `output '${name}' has shape [${joint?.dims.join(',') ?? '?'}] for ${rows.length} rows: no batch dimension`;
    for (const [at, row] of rows.entries()) {
      const alone = aloneOf(row)?.outputs[i];
      if (alone?.dims[0] !== 1)
        return `output '${name}' has shape [${alone?.dims.join(',') ?? '?'}] for 1 row: no batch dimension`;
      const difference = largestDifference(alone, sliceRows(joint, at, at + 1));
      if (difference > tolerance)
        return `output '${name}' of a row changes by up to ${difference.toPrecision(3)} when rows are joined (tolerance ${tolerance})`;
    }
  }
  return undefined;
};

/**
 * Relative above 1, absolute below. Infinity where values can't be compared. Ragged tails ([1, 5, n] alone, [1, 9, n]
 * padded) are compared over the part that both have.
 */
const largestDifference = (alone: Tensor, joint: Tensor): number => {
  if (alone.dtype !== joint.dtype || alone.data.length > joint.data.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < alone.data.length; i++) {
    const a = alone.data[i];
    const b = joint.data[i];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    if (typeof a !== 'number' || typeof b !== 'number' || alone.dtype === 'bool') return Infinity;
    const difference = Math.abs(a - b) / Math.max(1, Math.abs(a));
    largest = Math.max(largest, Number.isNaN(difference) ? Infinity : difference);
  }
  return largest;
};
