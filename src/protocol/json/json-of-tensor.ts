import { unpackHalves } from '../../codec/half.js';
import {
  elementCount,
  sliceRows,
  type NumericData,
  type Tensor,
  type TensorDataByDtype,
} from '../../tensor.js';
import { shortFloat32 } from './short-float32.js';

/** The elements `[from, to)` as JSON, joined by `separator`. */
type Print = (from: number, to: number, separator: string) => string;

const printList =
  (texts: readonly string[]): Print =>
  (from, to, separator) =>
    texts.slice(from, to).join(separator);

/** Typed arrays join natively, without a callback per element; only NaN and infinities need another way. */
const printFloats = (values: Float64Array): Print =>
  values.every(Number.isFinite)
    ? (from, to, separator) => values.subarray(from, to).join(separator)
    : printList(Array.from(values, (value) => (Number.isFinite(value) ? String(value) : 'null')));

const shortened = (values: Float32Array): Float64Array => {
  const short = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) short[i] = shortFloat32(values[i] ?? 0);
  return short;
};

const printer = ({ dtype, data }: Tensor): Print => {
  // The dtype is the tag that says which array `data` is; classes can't be asked, they differ between realms.
  if (dtype === 'string')
    return printList((data as TensorDataByDtype['string']).map((text) => JSON.stringify(text)));
  if (dtype === 'bool')
    return printList(Array.from(data as TensorDataByDtype['bool'], (bit) => (bit === 0 ? 'false' : 'true')));
  if (dtype === 'float64') return printFloats(data as TensorDataByDtype['float64']);
  if (dtype === 'float32') return printFloats(shortened(data as TensorDataByDtype['float32']));
  if (dtype === 'float16') return printFloats(shortened(unpackHalves(data as TensorDataByDtype['float16'])));
  const integers = data as NumericData;
  return (from, to, separator) => integers.subarray(from, to).join(separator);
};

/**
 * Nested row-major JSON of a tensor, or of its rows `[fromRow, toRow)`; a scalar (`dims: []`) is printed without lists.
 * NaN and infinities become null, 64-bit integers keep all digits. float32 and float16 are printed with the few digits
 * that read back as the same float32.
 */
export const jsonOfTensor = (whole: Tensor, fromRow = 0, toRow = whole.dims[0] ?? 1): string => {
  const all = fromRow === 0 && toRow === (whole.dims[0] ?? 1);
  const tensor = all ? whole : sliceRows(whole, fromRow, toRow);
  const { dims } = tensor;
  const print = printer(tensor);
  if (dims.length === 0) return print(0, 1, '');

  // Axes of length 1 behind the leaf axis only add brackets: they go into the separator, so that [100000,1] is one join.
  const leafAxis = Math.max(
    dims.findLastIndex((dim) => dim !== 1),
    0,
  );
  const ones = dims.length - 1 - leafAxis;
  const open = '['.repeat(ones);
  const close = ']'.repeat(ones);
  const nest = (axis: number, from: number): string => {
    const length = dims[axis] ?? 0;
    if (length === 0) return '[]';
    if (axis === leafAxis) return `[${open}${print(from, from + length, `${close},${open}`)}${close}]`;
    const stride = elementCount(dims.slice(axis + 1));
    const parts: string[] = [];
    for (let i = 0; i < length; i++) parts.push(nest(axis + 1, from + i * stride));
    return `[${parts.join(',')}]`;
  };
  return nest(0, 0);
};
