import type { DType } from '../../tensor.js';

/** The protocol's names of element types. BF16 is not among them: ONNX Runtime's Node binding can't carry it. */
export type Datatype = (typeof DATATYPES)[DType];

const DATATYPES = {
  float32: 'FP32',
  float64: 'FP64',
  float16: 'FP16',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  bool: 'BOOL',
  string: 'BYTES',
} as const satisfies Record<DType, string>;

const NAMES: ReadonlySet<string> = new Set(Object.values(DATATYPES));

export const datatypeOf = (dtype: DType): Datatype => DATATYPES[dtype];

export const isDatatype = (name: string): name is Datatype => NAMES.has(name);

/** A declared shape: -1 for every dimension that a caller may choose. */
export const wireShape = (shape: readonly (number | string)[]): number[] =>
  shape.map((dim) => (typeof dim === 'number' ? dim : -1));
