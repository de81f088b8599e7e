import { fileURLToPath } from 'node:url';
import { Lane } from '../../src/executor/lane.js';
import type { Isolation, OpenLink } from '../../src/executor/link.js';
import { openLinkOf } from '../../src/executor/open-link.js';
import type { LaneBatch, ModelSpec } from '../../src/executor/protocol.js';
import type { DType, Tensor, TensorData } from '../../src/tensor.js';

export const KINDS: readonly Isolation[] = ['thread', 'process'];

/** Real path of a file in test/fixtures/models. */
export const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../../test/fixtures/models/${name}.onnx`, import.meta.url));

/** How to open a fixture; its key is its name. */
export const specOf = (name: string, more: Partial<ModelSpec> = {}): ModelSpec => ({
  key: name,
  file: fixture(name),
  executionProviders: ['cpu'],
  intraOpThreads: 1,
  ...more,
});

/** Opens a lane, hands it to `work` when it is ready, and stops it whatever happens. */
export const withLane = async <T>(
  link: Isolation | OpenLink,
  work: (lane: Lane) => Promise<T>,
): Promise<T> => {
  const lane = new Lane(typeof link === 'string' ? openLinkOf(link) : link);
  try {
    await lane.ready;
    return await work(lane);
  } finally {
    await lane.stop();
  }
};

export const tensor = (dtype: DType, dims: readonly number[], data: TensorData): Tensor => ({
  dtype,
  dims,
  data,
});

export const f32 = (dims: readonly number[], values: readonly number[]): Tensor =>
  tensor('float32', dims, Float32Array.from(values));

export const i64 = (dims: readonly number[], values: readonly (number | bigint)[]): Tensor =>
  tensor('int64', dims, BigInt64Array.from(values, BigInt));

export const rowsOf = (rows: number, ...inputs: Tensor[]): LaneBatch => ({ kind: 'tensors', rows, inputs });

export const textsOf = (...texts: readonly number[][]): LaneBatch => ({
  kind: 'texts',
  ids: Int32Array.from(texts.flat()),
  lengths: Int32Array.from(texts, (ids) => ids.length),
});

/** A batch of `slow.onnx`, which takes 100 ms or more and answers 2 everywhere. */
export const slowBatch = (rows = 1): LaneBatch =>
  rowsOf(rows, f32([rows, 64], new Array<number>(rows * 64).fill(1)));

/** A batch of `multi_io.onnx` whose first row sums up to `start` + 10. */
export const multiBatch = (start = 0): LaneBatch =>
  rowsOf(1, f32([1, 3], [start, 1, 2]), f32([1, 2], [3, 4]));

export interface PlainTensor {
  readonly dtype: DType;
  readonly dims: number[];
  readonly values: (number | bigint | string)[];
}

/** What can be compared whatever realm the arrays are from. */
export const plain = ({ dtype, dims, data }: Tensor): PlainTensor => ({
  dtype,
  dims: [...dims],
  values: Array.from<number | bigint | string>(data),
});

/** The values of output `index` of a run. */
export const valuesAt = (
  { outputs }: { readonly outputs: readonly Tensor[] },
  index = 0,
): (number | bigint | string)[] => {
  const output = outputs[index];
  if (output === undefined) throw new Error(`no output ${index}`);
  return plain(output).values;
};

/** `code: message` of what a promise rejects with; `answered` when it does not. */
export const failureOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'answered',
    (error: unknown) => {
      const { code, message } = error as { code?: unknown; message?: unknown };
      return `${String(code)}: ${String(message)}`;
    },
  );
