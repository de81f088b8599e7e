import { describe, expect, it } from '@jest/globals';
import { jsonOfTensor } from '../../src/protocol/json/tensor-json.js';
import { shortFloat32 } from '../../src/protocol/json/short-float32.js';
import type { DType } from '../../src/tensor.js';
import { tensorOf } from './support.js';

describe('jsonOfTensor', () => {
  it.each<[DType, number[], (number | bigint | string)[], string]>([
    ['float32', [2, 2], [0.1, -2, 3e10, 1e-7], '[[0.1,-2],[30000000000,1e-7]]'],
    ['float32', [], [0.3], '0.3'],
    ['float32', [1, 3], [NaN, Infinity, -Infinity], '[[null,null,null]]'],
    ['float32', [], [NaN], 'null'],
    ['float64', [2], [0.1, 1e21], '[0.1,1e+21]'],
    ['float64', [2, 1], [NaN, 0.1], '[[null],[0.1]]'],
    ['float16', [3], [0x3c00, 0x2e66, 0x7c00], '[1,0.099975586,null]'],
    ['int64', [2], [9223372036854775807n, -1n], '[9223372036854775807,-1]'],
    ['uint64', [1, 1], [18446744073709551615n], '[[18446744073709551615]]'],
    ['int8', [2], [-128, 127], '[-128,127]'],
    ['bool', [2], [1, 0], '[true,false]'],
    ['string', [2, 1], ['a"b', '\ud800\n'], String.raw`[["a\"b"],["\ud800\n"]]`],
    ['int32', [2, 1, 1], [1, 2], '[[[1]],[[2]]]'],
    ['int32', [1, 1], [7], '[[7]]'],
    ['int32', [2, 1, 2], [1, 2, 3, 4], '[[[1,2]],[[3,4]]]'],
    ['int32', [1, 2, 1], [1, 2], '[[[1],[2]]]'],
    ['float32', [0], [], '[]'],
    ['float32', [0, 3], [], '[]'],
    ['float32', [2, 0], [], '[[],[]]'],
    ['float32', [2, 0, 1], [], '[[],[]]'],
  ])('%s %j %j', (dtype, dims, values, json) => {
    expect(jsonOfTensor(tensorOf(dtype, dims, values))).toBe(json);
  });

  it('prints some rows only', () => {
    const tensor = tensorOf('int32', [3, 2], [1, 2, 3, 4, 5, 6]);
    expect(jsonOfTensor(tensor, 1, 3)).toBe('[[3,4],[5,6]]');
    expect(jsonOfTensor(tensor, 0, 0)).toBe('[]');
    expect(jsonOfTensor(tensorOf('string', [2], ['a', 'b']), 1, 2)).toBe('["b"]');
  });
});

describe('shortFloat32', () => {
  it.each([
    [0.1, '0.1'],
    [16777216, '16777216'],
    [3.4028234663852886e38, '3.4028235e+38'],
    [1e-45, '1.401298e-45'],
    [0.998, '0.998'],
    [1 / 3, '0.33333334'],
    [123456.789, '123456.79'],
    [9999999, '9999999'],
    [0, '0'],
  ])('%d', (value, text) => {
    expect(String(shortFloat32(Math.fround(value)))).toBe(text);
  });

  it('reads back as the same float32, for all kinds of bits', () => {
    const float = new Float32Array(1);
    const word = new Uint32Array(float.buffer);
    for (let i = 0; i < 200_000; i++) {
      word[0] = Math.imul(i, 2_654_435_761);
      const value = float[0]!;
      if (!Number.isFinite(value)) continue;
      const text = String(shortFloat32(value));
      if (Math.fround(Number(text)) !== value) throw new Error(`${value} became ${text}`);
    }
  });
});
