import { describe, expect, it } from '@jest/globals';
import { transferable } from '../../src/executor/transfer.js';

const MIN_BYTES = 2_048;

describe('buffers that are moved', () => {
  it('are large ones, each once', () => {
    const large = new Float32Array(MIN_BYTES / 4);
    const small = new Float32Array(MIN_BYTES / 4 - 1);
    const ids = new BigInt64Array(MIN_BYTES);
    const tensors = [{ data: large }, { data: small }, { data: ids }, { data: large }];
    expect(transferable(tensors)).toEqual([large.buffer, ids.buffer]);
  });

  it('are not those that a view shares with others, nor strings', () => {
    const whole = new Uint8Array(MIN_BYTES * 4);
    const views = [whole.subarray(0, MIN_BYTES * 2), whole.subarray(MIN_BYTES * 2)];
    expect(transferable(views.map((data) => ({ data })))).toEqual([]);
    expect(transferable([{ data: new Array<string>(MIN_BYTES).fill('x') }])).toEqual([]);
  });

  it('are not shared memory, which can not be moved', () => {
    const shared = new Float32Array(new SharedArrayBuffer(MIN_BYTES));
    expect(transferable([{ data: shared }])).toEqual([]);
    expect(() =>
      structuredClone(0, { transfer: transferable([{ data: new Uint8Array(MIN_BYTES) }]) }),
    ).not.toThrow();
  });
});
