import { describe, expect, it } from '@jest/globals';
import { ownBytes, ownedBuffers } from '../../src/codec/transfer.js';

const LARGE = 20_000;

describe('ownedBuffers', () => {
  it('moves a large buffer that an array fills whole, once', () => {
    const ids = new Int32Array(LARGE);
    const bytes = new Uint8Array(ids.buffer);
    expect(ownedBuffers([ids, bytes, ['text']])).toEqual([ids.buffer]);
  });

  it.each<[string, ArrayBufferView]>([
    ['part of a buffer', new Float32Array(2 * LARGE).subarray(LARGE)],
    ['a pooled Buffer', Buffer.from('pooled')],
    ['a small one, cheaper to copy', new Uint8Array(100)],
    ['shared memory', new Uint8Array(new SharedArrayBuffer(LARGE))],
  ])('leaves %s', (_, array) => {
    expect(ownedBuffers([array])).toEqual([]);
  });
});

describe('ownBytes', () => {
  it('copies a part out of its buffer', () => {
    const whole = Uint8Array.from([1, 2, 3, 4]);
    const own = ownBytes(whole.subarray(1, 3));
    expect(Array.from(own)).toEqual([2, 3]);
    expect(own.buffer.byteLength).toBe(2);
  });

  it('takes what fills its buffer as it is', () => {
    const whole = new Uint8Array(4);
    expect(ownBytes(whole)).toBe(whole);
  });
});
