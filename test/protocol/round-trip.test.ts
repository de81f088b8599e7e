import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { halfPacker } from '../../src/codec/half.js';
import { parseJson } from '../../src/protocol/json/parse-json.js';
import { jsonOfTensor, tensorFromJson } from '../../src/protocol/json/tensor-json.js';
import { DTYPES, type DType, elementCount, type Tensor } from '../../src/tensor.js';
import { bytesOf, spec, tensorOf, valuesOf } from './support.js';

const finite = { noNaN: true, noDefaultInfinity: true } as const;
const int = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
/** -0 is printed as 0, here as by `JSON.stringify`. */
const unsignedZero = (value: number): number => (value === 0 ? 0 : value);

const ELEMENTS: Readonly<Record<DType, fc.Arbitrary<number | bigint | string>>> = {
  float32: fc.float(finite).map(unsignedZero),
  float64: fc.double(finite).map(unsignedZero),
  float16: fc.double({ ...finite, min: -65_504, max: 65_504 }).map((value) => halfPacker()(value) & 0x7fff),
  int8: int(-128, 127),
  int16: int(-32_768, 32_767),
  int32: int(-2_147_483_648, 2_147_483_647),
  uint8: int(0, 255),
  uint16: int(0, 65_535),
  uint32: int(0, 4_294_967_295),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  bool: int(0, 1),
  string: fc.string({ unit: 'binary' }),
};

const tensors: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...DTYPES), fc.array(int(1, 4), { maxLength: 4 }))
  .chain(([dtype, dims]) => {
    const length = elementCount(dims);
    return fc
      .array(ELEMENTS[dtype], { minLength: length, maxLength: length })
      .map((values) => tensorOf(dtype, dims, values));
  });

describe('a tensor through JSON', () => {
  it('comes back the same, whatever its dtype and shape', () => {
    fc.assert(
      fc.property(tensors, fc.boolean(), (tensor, isFixed) => {
        const value = parseJson(bytesOf(jsonOfTensor(tensor)));
        const shape = isFixed ? tensor.dims : tensor.dims.map((_, axis) => `d${axis}`);
        const back = tensorFromJson(value, spec('x', tensor.dtype, shape), 'x');
        const isSame =
          back.dtype === tensor.dtype &&
          back.dims.join() === tensor.dims.join() &&
          valuesOf(back).every((element, index) => Object.is(element, tensor.data[index]));
        return isSame && back.data.length === tensor.data.length;
      }),
      { numRuns: 500 },
    );
  });
});
