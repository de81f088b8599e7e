import { describe, expect, it } from '@jest/globals';
import { tensorFromJson } from '../../src/protocol/json/tensor-json.js';
import type { DType } from '../../src/tensor.js';
import { refusal, spec, valuesOf } from './support.js';

type Shape = readonly (number | string)[];

const from = (value: unknown, dtype: DType, shape: Shape): ReturnType<typeof tensorFromJson> =>
  tensorFromJson(value, spec('x', dtype, shape), 'inputs.x');

describe('tensorFromJson', () => {
  it.each<[DType, Shape, unknown, number[], (number | bigint | string)[]]>([
    ['float32', ['N', 2], [[1, 2.5], [3, 4]], [2, 2], [1, 2.5, 3, 4]], // prettier-ignore
    ['float32', ['N'], [0.1], [1], [Math.fround(0.1)]],
    ['float32', [], 5, [], [5]],
    ['float32', ['N', 'T', 2], [[[1, 2], [3, 4], [5, 6]]], [1, 3, 2], [1, 2, 3, 4, 5, 6]], // prettier-ignore
    ['float64', ['N'], [9007199254740993n, 1e300], [2], [9007199254740992, 1e300]],
    ['float16', ['N'], [1, -2, 65504, 65519, 6e-8, 0], [6], [0x3c00, 0xc000, 0x7bff, 0x7bff, 1, 0]],
    ['int8', ['N'], [-128, 127, 1.0], [3], [-128, 127, 1]],
    ['uint32', ['N'], [4294967295], [1], [4294967295]],
    [
      'int64',
      ['N'],
      [1, -9223372036854775808n, 9223372036854775807n],
      [3],
      [1n, -(2n ** 63n), 2n ** 63n - 1n],
    ],
    ['uint64', ['N'], [18446744073709551615n, 0], [2], [18446744073709551615n, 0n]],
    ['bool', ['N'], [true, false, 1, 0], [4], [1, 0, 1, 0]],
    ['string', ['N', 1], [['a'], ['']], [2, 1], ['a', '']],
    // Axis 0 is never held to a fixed length: such batches run in chunks.
    ['float32', [4, 1], [[1], [2]], [2, 1], [1, 2]],
  ])('%s %j from %j', (dtype, shape, value, dims, values) => {
    const tensor = from(value, dtype, shape);
    expect({ ...tensor, data: valuesOf(tensor) }).toEqual({ dtype, dims, data: values });
  });

  it.each<[DType, Shape, unknown, string]>([
    ['float32', ['N', 3], [[1, 2, 3], [1, 2]], 'inputs.x[1]: expected 3 values, got 2'], // prettier-ignore
    ['float32', ['N', 3], [[1, 2]], 'inputs.x[0]: expected 3 values, got 2'],
    ['float32', ['N', 'T'], [[1, 2], [1]], 'inputs.x[1]: expected 2 values, got 1'], // prettier-ignore
    ['float32', ['N', 'T', 2], [[[1, 2]], [[1, 2], [1, 2]]], 'inputs.x[1]: expected 1 lists, got 2'], // prettier-ignore
    ['float32', ['N', 2], [[1, 2], 3], 'inputs.x[1]: expected a list of 2 values, got number 3'],
    ['float32', ['N', 2], [3, [1, 2]], 'inputs.x[0]: expected a list of 2 values, got number 3'],
    ['float32', ['N', 2], [[1, [2]]], 'inputs.x[0][1]: expected a float32 number, got a list of 1'],
    [
      'float32',
      ['N', 3],
      [1, 2, 3],
      'inputs.x: expected rank 2 [N,3], got rank 1 [3]; to send one row, put it into one more list',
    ],
    ['float32', ['N', 3], [[[1, 2, 3]]], 'inputs.x: expected rank 2 [N,3], got rank 3 [1,1,3]'],
    ['float32', ['N', 3], 'abc', 'inputs.x: expected rank 2 [N,3], got string "abc"'],
    ['float32', ['N', 3], null, 'inputs.x: expected rank 2 [N,3], got null'],
    ['float32', ['', 3], 7, 'inputs.x: expected rank 2 [?,3], got number 7'],
    ['float32', [], [1], 'inputs.x: expected a float32 number, got a list of 1'],
    ['float32', ['N', 3], [], 'inputs.x: expected at least one row, got an empty list'],
    ['float32', ['N', 'T'], [[]], 'inputs.x[0]: expected at least one value, got an empty list'],
    ['float32', ['N', 1], [[1], ['2']], 'inputs.x[1][0]: expected a float32 number, got string "2"'],
    ['float32', ['N', 1], [[null]], 'inputs.x[0][0]: expected a float32 number, got null'],
    ['float32', ['N', 1], [[true]], 'inputs.x[0][0]: expected a float32 number, got true'],
    ['float32', ['N', 1], [[{}]], 'inputs.x[0][0]: expected a float32 number, got an object'],
    ['float32', ['N', 2], [[1, 1e39]], 'inputs.x[0][1]: number 1e+39 is out of range for float32'],
    ['float64', ['N'], [Infinity], 'inputs.x[0]: number Infinity is out of range for float64'],
    ['float16', ['N'], [65520], 'inputs.x[0]: number 65520 is out of range for float16'],
    ['int8', ['N'], [128], 'inputs.x[0]: number 128 is out of range for int8 (-128 to 127)'],
    ['uint8', ['N'], [-1], 'inputs.x[0]: number -1 is out of range for uint8 (0 to 255)'],
    ['int32', ['N'], [1.5], 'inputs.x[0]: expected an integer (int32), got number 1.5'],
    ['int32', ['N'], [2n ** 60n], 'is out of range for int32'],
    ['int64', ['N'], [0.5], 'inputs.x[0]: expected an integer (int64), got number 0.5'],
    ['int64', ['N'], [2n ** 63n], 'number 9223372036854775808 is out of range for int64'],
    ['int64', ['N'], [2 ** 53], 'which may have been rounded'],
    ['uint64', ['N'], [-1], 'number -1 is out of range for uint64 (0 to 18446744073709551615)'],
    ['bool', ['N'], [2], 'inputs.x[0]: expected true or false (or 1 or 0), got number 2'],
    ['string', ['N'], ['a', 1], 'inputs.x[1]: expected a string, got number 1'],
  ])('%s %j refuses %j', (dtype, shape, value, part) => {
    const { code, message } = refusal(() => from(value, dtype, shape));
    expect(code).toBe('INVALID_REQUEST');
    expect(message).toContain(part);
  });

  it('names the first missing column where the columns are known', () => {
    const row = (columns: string[]): unknown =>
      tensorFromJson([[1, 2]], spec('x', 'float32', ['N', 3]), 'inputs.x', columns);
    expect(refusal(() => row(['a', 'b', 'c'])).message).toBe(
      'inputs.x[0]: expected 3 values, got 2; the first one missing is "c"',
    );
    expect(refusal(() => row(['a'])).message).toBe('inputs.x[0]: expected 3 values, got 2');
  });

  it('refuses ragged lists before it allocates what their first lengths promise', () => {
    const lists = Array.from({ length: 100_000 }, () => [1]);
    lists[0] = Array.from({ length: 100_000 }, () => 1);
    expect(refusal(() => from(lists, 'float64', ['N', 'T'])).message).toBe(
      'inputs.x[1]: expected 100000 values, got 1',
    );
  });
});
