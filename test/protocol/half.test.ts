import { getFloat16, setFloat16 } from '@petamoriken/float16';
import { describe, expect, it } from '@jest/globals';
import { halfPacker, unpackHalves } from '../../src/codec/half.js';

const scratch = new DataView(new ArrayBuffer(2));

describe('float16 words', () => {
  it('unpack as the library reads them, all 65,536', () => {
    const words = Uint16Array.from({ length: 65_536 }, (_, index) => index);
    const floats = unpackHalves(words);
    for (const [word, float] of floats.entries()) {
      scratch.setUint16(0, word);
      if (!Object.is(float, getFloat16(scratch, 0)))
        throw new Error(`${word}: ${float} for ${getFloat16(scratch, 0)}`);
    }
    expect(floats).toHaveLength(65_536);
  });

  it('pack as the library writes them, between and on all values', () => {
    const pack = halfPacker();
    const words = Uint16Array.from({ length: 0x7c00 }, (_, index) => index);
    const floats = unpackHalves(words);
    const values = [...floats, 65519.99, 65520, 1e9, Infinity, NaN, 2 ** -25, 2 ** -26, -0];
    for (const [index, value] of floats.entries())
      values.push((value + (floats[index + 1] ?? value)) / 2, -value);
    for (const value of values) {
      setFloat16(scratch, 0, value);
      if (pack(value) !== scratch.getUint16(0))
        throw new Error(`${value}: ${pack(value)} for ${scratch.getUint16(0)}`);
    }
    expect(pack(1)).toBe(0x3c00);
  });
});
