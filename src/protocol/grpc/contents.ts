import { elementCount, type Tensor, type TensorSpec } from '../../tensor.js';
import { elementProblem } from '../json/element-problem.js';
import { elementWriter } from '../json/element-writer.js';
import { readText } from '../oip/bytes-tensor.js';
import { refuse } from '../own/fields.js';
import type { InferTensorContents } from './messages.js';

type Field = keyof InferTensorContents;

const FIELDS: Readonly<Record<Tensor['dtype'], Field | undefined>> = {
  float32: 'fp32_contents',
  float64: 'fp64_contents',
  float16: undefined,
  int8: 'int_contents',
  int16: 'int_contents',
  int32: 'int_contents',
  int64: 'int64_contents',
  uint8: 'uint_contents',
  uint16: 'uint_contents',
  uint32: 'uint_contents',
  uint64: 'uint64_contents',
  bool: 'bool_contents',
  string: 'bytes_contents',
};

/** @throws CarpoolError INVALID_REQUEST naming the tensor */
export const tensorOfContents = (
  contents: InferTensorContents | null,
  { dtype }: TensorSpec,
  dims: readonly number[],
  where: string,
): Tensor => {
  const field = FIELDS[dtype];
  if (field === undefined) throw refuse(where, 'FP16 has no typed contents; send raw_input_contents');
  const values = contents?.[field] ?? [];
  const count = elementCount(dims);
  if (values.length !== count)
    throw refuse(
      where,
      `expected ${count} values in contents.${field} for shape [${dims.join(',')}], got ${values.length}`,
    );
  // NaN and infinities are as good as other floats here, unlike in JSON.
  if (contents !== null && dtype === 'float32')
    return { dtype, dims, data: Float32Array.from(contents.fp32_contents) };
  if (contents !== null && dtype === 'float64')
    return { dtype, dims, data: Float64Array.from(contents.fp64_contents) };
  const elements = values.map((value, at) => elementOf(value, dtype, `${where}: element ${at}`));
  const writer = elementWriter(dtype, count);
  const wrong = writer.write(elements, 0);
  if (wrong !== -1) throw refuse(`${where}: element ${wrong}`, elementProblem(dtype, elements[wrong]));
  return { dtype, dims, data: writer.data };
};

const elementOf = (
  value: boolean | number | string | Uint8Array,
  dtype: Tensor['dtype'],
  where: string,
): unknown => {
  if (dtype === 'string' && ArrayBuffer.isView(value))
    return readText(Buffer.from(value.buffer, value.byteOffset, value.byteLength), where);
  return typeof value === 'string' ? BigInt(value) : value;
};

/** Of a tensor that is no FP16. */
export const contentsOf = ({ dtype, data }: Tensor): Partial<InferTensorContents> => {
  const field = FIELDS[dtype];
  if (field === undefined) return {};
  return { [field]: Array.from<unknown>(data).map((value) => wireElement(value, dtype)) };
};

const wireElement = (value: unknown, dtype: Tensor['dtype']): unknown => {
  if (dtype === 'bool') return value !== 0;
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'string' ? Buffer.from(value) : value;
};
