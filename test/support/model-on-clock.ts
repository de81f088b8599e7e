import { CarpoolError } from '../../src/errors.js';
import type { Lane } from '../../src/executor/lane.js';
import type { LaneBatch, LaneOutput } from '../../src/executor/protocol.js';
import type { InferRequest } from '../../src/infer.js';
import { ServedModel, type ServedModelDeps } from '../../src/models/served-model.js';
import { infoOf, spec } from '../protocol/support.js';
import { FakeClock } from './fake-clock.js';
import { f32 } from './lanes.js';

export const PAUSE_MS = 100;

const nothing = (): void => undefined;

/** A run that waits for the test. */
export interface HeldRun {
  answer(): void;
  loseLane(): void;
}

export interface ModelOnClock {
  readonly model: ServedModel;
  readonly clock: FakeClock;
  readonly held: HeldRun[];
  /** Not free: whoever asks for one waits. Not spared: one that hangs now is not replaced. */
  readonly lanes: { areFree: boolean; areSpared: boolean };
  /** What `onCircuit` was told. */
  readonly circuits: string[];
  /** Takes it out of service for PAUSE_MS. */
  readonly open: () => Promise<void>;
}

/** A model of one input `x` [rows, 1] and as many lanes as it asks for, whose circuit opens at the first repeated run that is lost. */
export const modelOnClock = (more: Partial<ServedModelDeps> = {}): ModelOnClock => {
  const clock = new FakeClock();
  const held: HeldRun[] = [];
  const lanes = { areFree: true, areSpared: true };
  const circuits: string[] = [];
  const run = (_key: string, batch: LaneBatch): Promise<LaneOutput> =>
    new Promise((resolve, reject) => {
      const rows = batch.kind === 'texts' ? batch.lengths.length : batch.rows;
      const y = f32([rows, 1], new Array<number>(rows).fill(7));
      held.push({
        answer: () => resolve({ outputs: [y], runMs: 1, laneMs: 1 }),
        loseLane: () => reject(lost()),
      });
    });
  // Checked by reading: a ride asks nothing else of its lane.
  const lane = { run, has: () => true } as unknown as Lane;
  const signature = {
    inputs: [spec('x', 'float32', ['N', 1])],
    outputs: [spec('y', 'float32', ['N', 1])],
  };
  const model = new ServedModel('m#1', infoOf({}, { signature }), {
    clock,
    pool: {
      requestLane: () =>
        queueMicrotask(() => {
          if (lanes.areFree) for (const one of model.contenders) void one.ride(lane);
        }),
      lanesView: { total: 2, idle: 1, lost: 0 },
      lanesFor: () => 2,
      idleWith: () => 1,
      get sparesLanes() {
        return lanes.areSpared;
      },
    },
    metrics: { onEvent: nothing, laneLost: nothing, bindQueue: nothing, cached: nothing, remove: nothing },
    start: {
      key: { basis: 'rows' },
      coefficients: { alphaMs: 1, betaMsPerToken: 0.1, kneeTokens: 0, quadMsPerTokenSquared: 0 },
      ...{ known: true, sampleLength: 1 },
    },
    samples: [],
    guard: {
      limits: { factor: 0, minMs: 0, firstMs: 0 },
      breaker: { losses: 1, windowMs: 1000, pauseMs: PAUSE_MS },
    },
    onCircuit: (of, state) => circuits.push(`${of === model ? 'model' : 'copies'} ${state}`),
    ...more,
  });
  const open = (): Promise<void> =>
    loseLane(model).then(() => {
      if (model.guard.circuit !== 'open') throw new Error('expected the circuit to be open');
    });
  return { model, clock, held, lanes, circuits, open };
};

/** As a repeated run whose lane dies, or hangs. */
export const loseLane = ({ guard }: ServedModel, error: Error = lost()): Promise<void> =>
  guard
    .run({ predictedMs: 1, isTrusted: true, isRepeated: true }, () => Promise.reject(error))
    .catch(nothing);

/** Rows with these values. */
export const rowsRequest = (...values: number[]): InferRequest => ({
  input: { kind: 'tensors', rows: values.length, tensors: [f32([values.length, 1], values)] },
  options: {},
});

const lost = (): CarpoolError => new CarpoolError('WORKER_LOST', 'the lane was lost: a test');
