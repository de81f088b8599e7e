import { unpackHalves } from '../codec/half.js';
import { codeOf, messageOf } from '../errors.js';
import { joinPayloads, type Payload } from '../executor/join.js';
import { fillRows } from '../executor/pad.js';
import type { LaneBatch, LaneOutput } from '../executor/protocol.js';
import { sliceRows, type Tensor, type TensorData } from '../tensor.js';
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
  readonly candidates: Iterable<readonly Payload[]>;
  /** Largest difference that counts as equal, absolute and relative. */
  readonly tolerance: number;
  readonly run: (batch: LaneBatch, fillTo?: number) => Promise<LaneOutput>;
}

/**
 * Runs rows alone and then together, takes the joint answer apart again, and compares. A model whose rows change each
 * other, or whose outputs don't carry the batch on axis 0, is served one request at a time: nothing else would be right.
 * @throws WORKER_LOST: a lane that dies says nothing about rows
 */
export const selfTest = async (deps: SelfTestDeps): Promise<SelfTest> => {
  const { axis, signature, tolerance, run } = deps;
  const fillTo = axis.kind === 'fixed' ? axis.size : undefined;
  const found = await firstThatRuns(deps, fillTo);
  if (typeof found === 'string') {
    const none = `the self-test found no input that runs: ${found}`;
    return single(axis.kind === 'none' ? `${axis.reason}; ${none}` : none, []);
  }
  const { samples, alone } = found;
  if (axis.kind === 'none') return single(axis.reason, samples);

  const rows = axis.kind === 'fixed' ? samples.slice(0, axis.size) : samples;
  for (const order of [rows, rows.toReversed()]) {
    let together: LaneOutput;
    try {
      together = await run(joinPayloads(order), fillTo);
    } catch (error) {
      if (codeOf(error) === 'WORKER_LOST') throw error;
      const reason = `${rows.length} rows together fail: ${messageOf(error)}`;
      return single(reason, fillTo === undefined ? samples : []);
    }
    const reason = compare(signature, order, (row) => alone[samples.indexOf(row)], together, tolerance);
    if (reason !== undefined) return single(reason, fillTo === undefined ? samples : whole(order, fillTo));
  }
  return { mode: axis.kind === 'fixed' ? { mode: 'fixed', size: axis.size } : { mode: 'dynamic' }, samples };
};

const single = (reason: string, samples: readonly Payload[]): SelfTest => ({
  mode: { mode: 'single', reason },
  samples,
});

/** One request that fills a fixed batch by itself: without joining, nothing fills it up in the lane. */
const whole = (rows: readonly Payload[], size: number): Payload[] => {
  const batch = joinPayloads(rows);
  if (batch.kind === 'texts') return [];
  return [{ kind: 'tensors', rows: size, inputs: batch.inputs.map((tensor) => fillRows(tensor, size)) }];
};

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
      if (codeOf(error) === 'WORKER_LOST') throw error;
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

/** Relative. Neighbouring float16 values lie up to 2^-10 apart, so that rounding alone makes one or two such steps. */
const HALF_ROUNDING = 2 ** -9;

/**
 * Relative above 1, absolute below. Infinity where values that are no floats differ at all. Ragged tails ([1, 5, n]
 * alone, [1, 9, n] padded) are compared over the part that both have.
 */
const largestDifference = (alone: Tensor, joint: Tensor): number => {
  const { dtype } = alone;
  if (dtype !== joint.dtype || alone.data.length > joint.data.length) return Infinity;
  const ofAlone = comparable(alone);
  const ofJoint = comparable(joint);
  let largest = 0;
  for (let i = 0; i < ofAlone.length; i++) {
    const a = ofAlone[i];
    const b = ofJoint[i];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    if (typeof a !== 'number' || typeof b !== 'number' || !dtype.startsWith('float')) return Infinity;
    const distance = Math.abs(a - b);
    if (dtype === 'float16' && distance <= HALF_ROUNDING * Math.abs(a)) continue;
    const difference = distance / Math.max(1, Math.abs(a));
    largest = Math.max(largest, Number.isNaN(difference) ? Infinity : difference);
  }
  return largest;
};

/** float16 is carried as raw words, which say nothing about distance. */
const comparable = ({ dtype, data }: Tensor): TensorData =>
  dtype === 'float16' && !Array.isArray(data)
    ? unpackHalves(new Uint16Array(data.buffer, data.byteOffset, data.length))
    : data;
