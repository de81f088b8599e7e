/**
 * Dense tensors as they travel through the gateway: row-major data plus dimensions. A leaf: it imports nothing of ours.
 *
 * `float16` is carried as raw 16-bit words and `bool` as one byte a value, exactly as ONNX Runtime wants them.
 */
export interface TensorDataByDtype {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly float16: Uint16Array;
  readonly int8: Int8Array;
  readonly int16: Int16Array;
  readonly int32: Int32Array;
  readonly int64: BigInt64Array;
  readonly uint8: Uint8Array;
  readonly uint16: Uint16Array;
  readonly uint32: Uint32Array;
  readonly uint64: BigUint64Array;
  readonly bool: Uint8Array;
  readonly string: string[];
}

export type DType = keyof TensorDataByDtype;
export type TensorData = TensorDataByDtype[DType];
export type NumericData = Exclude<TensorData, string[]>;

export interface Tensor {
  readonly dtype: DType;
  /** Row-major dimensions; the product is the element count. Axis 0 is the batch where there is one. */
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** What a model declares about one input or output. A string is a symbolic (variable) dimension. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
}

interface TypedArrayOf {
  new (length: number): NumericData;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): NumericData;
  readonly BYTES_PER_ELEMENT: number;
}

const ARRAYS: Readonly<Record<Exclude<DType, 'string'>, TypedArrayOf>> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

export const DTYPES: readonly DType[] = [...(Object.keys(ARRAYS) as DType[]), 'string'];

export const isDType = (name: string): name is DType => (DTYPES as readonly string[]).includes(name);

/** Bytes of one element; strings have no fixed size and answer 0. */
export const bytesPerElement = (dtype: DType): number =>
  dtype === 'string' ? 0 : ARRAYS[dtype].BYTES_PER_ELEMENT;

/** Number of elements that `dims` hold; 1 for a scalar (`[]`). */
export const elementCount = (dims: readonly number[]): number => {
  let count = 1;
  for (const dim of dims) count *= dim;
  return count;
};

/** A zeroed array of the dtype (empty strings for `string`). */
export const allocate = (dtype: DType, length: number): TensorData =>
  dtype === 'string' ? new Array<string>(length).fill('') : new ARRAYS[dtype](length);

/** A typed view over bytes. @throws RangeError when `byteOffset` is not aligned to the element size. */
export const viewOf = (
  dtype: Exclude<DType, 'string'>,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): NumericData => new ARRAYS[dtype](buffer, byteOffset, length);

/** Rows `[from, to)` of a tensor whose axis 0 is the batch: a view for numbers, a copy for strings. */
export const sliceRows = (tensor: Tensor, from: number, to: number): Tensor => {
  const [, ...tail] = tensor.dims;
  const stride = elementCount(tail);
  const data = Array.isArray(tensor.data)
    ? tensor.data.slice(from * stride, to * stride)
    : tensor.data.subarray(from * stride, to * stride);
  return { dtype: tensor.dtype, dims: [to - from, ...tail], data };
};

/**
 * Joins tensors of one dtype and one tail shape along axis 0 into fresh memory.
 * @throws RangeError when the parts disagree: joining them would mix up rows.
 */
export const joinRows = (parts: readonly Tensor[]): Tensor => {
  const first = parts[0];
  if (first === undefined) throw new RangeError('joinRows needs at least one tensor');
  const tail = first.dims.slice(1);
  let rows = 0;
  for (const part of parts) {
    if (part.dtype !== first.dtype || !sameDims(part.dims.slice(1), tail))
      throw new RangeError(
        `cannot join ${part.dtype}[${part.dims.join(',')}] to ${first.dtype}[${first.dims.join(',')}] along axis 0`,
      );
    rows += part.dims[0] ?? 0;
  }
  const dims = [rows, ...tail];
  if (first.dtype === 'string') {
    return { dtype: 'string', dims, data: parts.flatMap((part) => part.data as string[]) };
  }
  const bytes = new Uint8Array(elementCount(dims) * bytesPerElement(first.dtype));
  let offset = 0;
  for (const part of parts) {
    const { buffer, byteOffset, byteLength } = part.data as NumericData;
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), offset);
    offset += byteLength;
  }
  return { dtype: first.dtype, dims, data: viewOf(first.dtype, bytes.buffer, 0, elementCount(dims)) };
};

export const sameDims = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((dim, axis) => dim === b[axis]);
