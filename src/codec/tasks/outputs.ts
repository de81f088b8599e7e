import { CarpoolError } from '../../errors.js';
import type { ItemOutput } from '../../infer.js';
import type { ModelInfo } from '../../models/model-info.js';
import type { Tensor, TensorDataByDtype } from '../../tensor.js';
import { unpackHalves } from '../half.js';

/** Position of an output among the model's, by name; the first one when the card names none. */
export const outputIndex = (info: ModelInfo, name: string | undefined): number => {
  const index = name === undefined ? 0 : info.signature.outputs.findIndex((output) => output.name === name);
  if (info.signature.outputs[index] === undefined)
    throw new CarpoolError('EXECUTION_FAILED', `${info.name}: the model has no output "${name ?? ''}"`);
  return index;
};

export const outputAt = (info: ModelInfo, item: ItemOutput, index: number): Tensor => {
  const tensor = item.outputs[index];
  if (tensor === undefined)
    throw new CarpoolError('INTERNAL', `${info.name}: a result has ${item.outputs.length} outputs only`);
  return tensor;
};

/** The elements as JavaScript numbers; 64-bit integers lose what lies beyond 2^53, bools are 0 and 1. */
export const numbersOf = ({ dtype, data }: Tensor): ArrayLike<number> => {
  // As in every place where an element is looked at: the dtype tag says which array this is.
  switch (dtype) {
    case 'string':
      throw new CarpoolError('EXECUTION_FAILED', 'expected an output of numbers, got strings');
    case 'int64':
    case 'uint64':
      return Array.from(data as TensorDataByDtype['int64' | 'uint64'], Number);
    case 'float16':
      return unpackHalves(data as TensorDataByDtype['float16']);
    case 'float32':
    case 'float64':
    case 'int8':
    case 'int16':
    case 'int32':
    case 'uint8':
    case 'uint16':
    case 'uint32':
    case 'bool':
      return data as Exclude<typeof data, string[] | BigInt64Array | BigUint64Array>;
  }
};

/** The tensor as rows of equal length. @throws CarpoolError EXECUTION_FAILED when it isn't of rank 2. */
export const matrixOf = (
  tensor: Tensor,
  what: string,
): { readonly rows: number; readonly columns: number; readonly values: ArrayLike<number> } => {
  const [rows, columns, ...more] = tensor.dims;
  if (rows === undefined || columns === undefined || columns === 0 || more.length > 0)
    throw new CarpoolError(
      'EXECUTION_FAILED',
      `output for ${what}: expected [rows, classes], got [${tensor.dims.join(',')}]`,
    );
  return { rows, columns, values: numbersOf(tensor) };
};
