import { halfPacker } from '../../codec/half.js';
import type { DType, TensorData } from '../../tensor.js';

/** Fills the array of one new tensor from lists of JSON values. */
export interface ElementWriter {
  readonly data: TensorData;
  /** Copies `row` to `data` from `at` on. Answers the index in `row` of the first value that doesn't fit, or -1. */
  readonly write: (row: readonly unknown[], at: number) => number;
}

/** Bounds, both included, of the integer types that a JavaScript number holds exactly. */
export const INTEGER_RANGE = {
  int8: [-128, 127],
  int16: [-32_768, 32_767],
  int32: [-2_147_483_648, 2_147_483_647],
  uint8: [0, 255],
  uint16: [0, 65_535],
  uint32: [0, 4_294_967_295],
} as const;

export const BIGINT_RANGE = {
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
} as const;

const floats = (data: Float32Array | Float64Array): ElementWriter => ({
  data,
  write(row, at) {
    for (let i = 0; i < row.length; i++) {
      const value = row[i];
      if (typeof value !== 'number' && typeof value !== 'bigint') return i;
      data[at + i] = Number(value);
      // Also what the rounding to float32 made infinite.
      if (!Number.isFinite(data[at + i])) return i;
    }
    return -1;
  },
});

const halves = (data: Uint16Array): ElementWriter => {
  const pack = halfPacker();
  return {
    data,
    write(row, at) {
      for (let i = 0; i < row.length; i++) {
        const value = row[i];
        if (typeof value !== 'number' && typeof value !== 'bigint') return i;
        const word = pack(Number(value));
        if ((word & 0x7c00) === 0x7c00) return i;
        data[at + i] = word;
      }
      return -1;
    },
  };
};

const integers = (
  data: Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array,
  [min, max]: readonly [number, number],
): ElementWriter => ({
  data,
  write(row, at) {
    for (let i = 0; i < row.length; i++) {
      const value = row[i];
      if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) return i;
      data[at + i] = value;
    }
    return -1;
  },
});

const bigints = (
  data: BigInt64Array | BigUint64Array,
  [min, max]: readonly [bigint, bigint],
): ElementWriter => ({
  data,
  write(row, at) {
    for (let i = 0; i < row.length; i++) {
      const value = row[i];
      // A number beyond ±2^53 may have lost its last digits on the way: only a bigint is taken there.
      if (typeof value !== 'bigint' && !(typeof value === 'number' && Number.isSafeInteger(value))) return i;
      const integer = BigInt(value);
      if (integer < min || integer > max) return i;
      data[at + i] = integer;
    }
    return -1;
  },
});

const booleans = (data: Uint8Array): ElementWriter => ({
  data,
  write(row, at) {
    for (let i = 0; i < row.length; i++) {
      const value = row[i];
      if (value === true || value === 1) data[at + i] = 1;
      else if (value !== false && value !== 0) return i;
    }
    return -1;
  },
});

const strings = (data: string[]): ElementWriter => ({
  data,
  write(row) {
    for (let i = 0; i < row.length; i++) {
      const value = row[i];
      if (typeof value !== 'string') return i;
      data.push(value);
    }
    return -1;
  },
});

/** A writer into a fresh array of `length` elements, to be filled from front to back. */
export const elementWriter = (dtype: DType, length: number): ElementWriter => {
  switch (dtype) {
    case 'float32':
      return floats(new Float32Array(length));
    case 'float64':
      return floats(new Float64Array(length));
    case 'float16':
      return halves(new Uint16Array(length));
    case 'int8':
      return integers(new Int8Array(length), INTEGER_RANGE.int8);
    case 'int16':
      return integers(new Int16Array(length), INTEGER_RANGE.int16);
    case 'int32':
      return integers(new Int32Array(length), INTEGER_RANGE.int32);
    case 'uint8':
      return integers(new Uint8Array(length), INTEGER_RANGE.uint8);
    case 'uint16':
      return integers(new Uint16Array(length), INTEGER_RANGE.uint16);
    case 'uint32':
      return integers(new Uint32Array(length), INTEGER_RANGE.uint32);
    case 'int64':
      return bigints(new BigInt64Array(length), BIGINT_RANGE.int64);
    case 'uint64':
      return bigints(new BigUint64Array(length), BIGINT_RANGE.uint64);
    case 'bool':
      return booleans(new Uint8Array(length));
    case 'string':
      return strings([]);
  }
};
