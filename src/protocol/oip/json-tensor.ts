import type { Tensor, TensorSpec } from '../../tensor.js';
import { describe, isList } from '../json/describe.js';
import { tensorFromJson } from '../json/tensor-json.js';
import { refuse } from '../own/fields.js';
import { countOf } from './shape.js';

/**
 * `data` of a body, flat or nested as `dims` says, row-major.
 * @throws CarpoolError INVALID_REQUEST naming the element
 */
export const tensorOfData = (
  data: unknown,
  spec: TensorSpec,
  dims: readonly number[],
  where: string,
): Tensor => {
  const { name, dtype } = spec;
  if (data === undefined) throw refuse(where, 'expected "data" or parameters.binary_data_size, got neither');
  if (dtype === 'float16') throw refuse(where, 'FP16 has no JSON form; send it as binary data');
  if (!isList(data)) throw refuse(where, `expected "data" as a list, got ${describe(data)}`);
  const count = countOf(dims, where);
  // Nested data begins with a list. A scalar ([]) comes as a list of one.
  const isFlat = dims.length < 2 || !isList(data[0]);
  const given = isFlat ? [count] : dims;
  if (data.length !== given[0])
    throw refuse(
      where,
      `expected ${given[0] ?? 0} ${isFlat ? 'elements' : 'lists'} in "data" for shape [${dims.join(',')}], got ${data.length}`,
    );
  const tensor = tensorFromJson(data, { name, dtype, shape: given }, `${where}.data`);
  return { ...tensor, dims };
};
