import { codeOf, messageOf } from '../errors.js';
import { joinPayloads, type Payload } from '../executor/join.js';
import { fillRows } from '../executor/pad.js';
import type { LaneBatch, LaneOutput } from '../executor/protocol.js';
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
  readonly run: (batch: LaneBatch, fillTo?: number) => Promise<LaneOutput>;
}

/**
 * Runs rows alone and then together and looks at the shapes: a model whose outputs don't carry the batch on axis 0, or
 * that fails with several rows, is served one request at a time. Whether rows change each other is measured later
 * (invariance/).
 * @throws WORKER_LOST: a lane that dies says nothing about rows
 */
export const selfTest = async (deps: SelfTestDeps): Promise<SelfTest> => {
  const { axis, signature, run } = deps;
  const fillTo = axis.kind === 'fixed' ? axis.size : undefined;
  const found = await firstThatRuns(deps, fillTo);
  if (typeof found === 'string') {
    const none = `the self-test found no input that runs: ${found}`;
    return single(axis.kind === 'none' ? `${axis.reason}; ${none}` : none, []);
  }
  const { samples, alone } = found;
  if (axis.kind === 'none') return single(axis.reason, samples);

  const rows = axis.kind === 'fixed' ? samples.slice(0, axis.size) : samples;
  let together: LaneOutput;
  try {
    together = await run(joinPayloads(rows), fillTo);
  } catch (error) {
    if (codeOf(error) === 'WORKER_LOST') throw error;
    const reason = `${rows.length} rows together fail: ${messageOf(error)}`;
    return single(reason, fillTo === undefined ? samples : []);
  }
  const reason = misshapen(signature, [together], rows.length) ?? misshapen(signature, alone, 1);
  if (reason !== undefined) return single(reason, fillTo === undefined ? samples : wholeBatch(rows, fillTo));
  return { mode: axis.kind === 'fixed' ? { mode: 'fixed', size: axis.size } : { mode: 'dynamic' }, samples };
};

const single = (reason: string, samples: readonly Payload[]): SelfTest => ({
  mode: { mode: 'single', reason },
  samples,
});

/** One request that fills a fixed batch by itself: without joining, nothing fills it up in the lane. */
export const wholeBatch = (rows: readonly Payload[], size: number): Payload[] => {
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

/** Why an output can't be cut into rows. */
const misshapen = (
  { outputs: specs }: Signature,
  runs: readonly LaneOutput[],
  rows: number,
): string | undefined => {
  for (const { outputs } of runs)
    for (const [i, { name }] of specs.entries())
      if (outputs[i]?.dims[0] !== rows)
        return `output '${name}' has shape [${outputs[i]?.dims.join(',') ?? '?'}] for ${rows} ${rows === 1 ? 'row' : 'rows'}: no batch dimension`;
  return undefined;
};
