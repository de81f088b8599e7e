import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { joinPayloads, splitOutput, type Payload } from '../../src/executor/join.js';
import type { LaneBatch } from '../../src/executor/protocol.js';
import type { Tensor } from '../../src/tensor.js';
import { f32, i64, plain, tensor } from '../support/lanes.js';

const text = (...ids: number[]): Payload => ({ kind: 'text', ids: Int32Array.from(ids) });
const rows = (count: number, ...inputs: Tensor[]): Payload => ({ kind: 'tensors', rows: count, inputs });

const shown = (batch: LaneBatch): unknown =>
  batch.kind === 'texts'
    ? { ids: [...batch.ids], lengths: [...batch.lengths] }
    : { rows: batch.rows, inputs: batch.inputs.map(plain) };

describe('joining', () => {
  it('keeps texts ragged, one after the other', () => {
    expect(shown(joinPayloads([text(2, 9, 3), text(), text(7)]))).toEqual({
      ids: [2, 9, 3, 7],
      lengths: [3, 0, 1],
    });
  });

  it('puts rows below each other, input by input', () => {
    const one = rows(1, f32([1, 2], [1, 2]), i64([1], [2n ** 60n]), tensor('string', [1, 1], ['a']));
    const two = rows(2, f32([2, 2], [3, 4, 5, 6]), i64([2], [-1, 0]), tensor('string', [2, 1], ['b', 'ü']));
    expect(shown(joinPayloads([one, two]))).toEqual({
      rows: 3,
      inputs: [
        { dtype: 'float32', dims: [3, 2], values: [1, 2, 3, 4, 5, 6] },
        { dtype: 'int64', dims: [3], values: [2n ** 60n, -1n, 0n] },
        { dtype: 'string', dims: [3, 1], values: ['a', 'b', 'ü'] },
      ],
    });
  });

  it('takes a single payload as it is, scalars and all', () => {
    const lone = rows(1, f32([], [3]), f32([2, 1], [1, 2]));
    expect(shown(joinPayloads([lone]))).toEqual({
      rows: 1,
      inputs: [f32([], [3]), f32([2, 1], [1, 2])].map(plain),
    });
  });

  it('copies: what is sent may be moved away, and the payload is needed again when the lane is lost', () => {
    const data = Float32Array.of(1, 2, 3, 4);
    const view: Tensor = { dtype: 'float32', dims: [1, 2], data: data.subarray(2) };
    const ids = Int32Array.of(5, 6);
    const batches = [
      joinPayloads([rows(1, view)]),
      joinPayloads([rows(1, view), rows(1, view)]),
      joinPayloads([{ kind: 'text', ids }]),
    ];
    for (const batch of batches) {
      const arrays = batch.kind === 'texts' ? [batch.ids] : batch.inputs.map((input) => input.data);
      for (const array of arrays) {
        if (Array.isArray(array)) throw new Error('expected numbers');
        expect([data.buffer, ids.buffer]).not.toContain(array.buffer);
        expect(array.byteLength).toBe(array.buffer.byteLength);
        new Uint8Array(array.buffer).fill(0);
      }
    }
    expect([...data, ...ids]).toEqual([1, 2, 3, 4, 5, 6]);
    const strings = tensor('string', [1, 1], ['a']);
    const copy = joinPayloads([rows(1, strings)]);
    expect(copy.kind === 'tensors' && copy.inputs[0]?.data).not.toBe(strings.data);
  });

  it('refuses what compat keys should have kept apart', () => {
    expect(() => joinPayloads([text(1), rows(1, f32([1], [1]))])).toThrow(/texts and tensors in one group/);
    expect(() => joinPayloads([rows(1, f32([1, 2], [1, 2])), rows(1, f32([1, 3], [1, 2, 3]))])).toThrow(
      /cannot join/,
    );
    const short = rows(1, f32([1], [1]));
    expect(() => joinPayloads([rows(1, f32([1], [1]), f32([1], [1])), short])).toThrow(
      /item without input 1/,
    );
  });
});

describe('splitting', () => {
  const output = {
    runMs: 1,
    laneMs: 1,
    outputs: [f32([3, 2], [1, 2, 3, 4, 5, 6]), tensor('string', [3], ['a', 'b', 'c'])],
  };

  it('gives each item its own rows of every output', () => {
    const items = splitOutput(output, [1, 2], true).map((item) => item.outputs.map(plain));
    expect(items).toEqual([
      [f32([1, 2], [1, 2]), tensor('string', [1], ['a'])].map(plain),
      [f32([2, 2], [3, 4, 5, 6]), tensor('string', [2], ['b', 'c'])].map(plain),
    ]);
  });

  it('hands nothing out when an output has another number of rows', () => {
    expect(() => splitOutput(output, [1, 1], true)).toThrow(
      expect.objectContaining({
        code: 'EXECUTION_FAILED',
        message: 'output 0 has shape [3,2] for 2 rows; expected axis 0 to be the batch',
      }),
    );
    const scalar = { runMs: 1, laneMs: 1, outputs: [f32([2, 1], [1, 2]), f32([], [1])] };
    expect(() => splitOutput(scalar, [1, 1], true)).toThrow(/output 1 has shape \[\] for 2 rows/);
    expect(() => splitOutput(scalar, [1, 1], false)).toThrow(/output 1/);
  });

  it('gives a request that is run alone its outputs whole, whatever their shape', () => {
    const odd = { runMs: 1, laneMs: 1, outputs: [f32([], [1]), f32([5], [1, 2, 3, 4, 5])] };
    expect(splitOutput(odd, [2], false)).toEqual([{ outputs: odd.outputs }]);
    expect(() => splitOutput(odd, [2], true)).toThrow(/output 0/);
  });

  it('undoes joining', () =>
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer(), { minLength: 1, maxLength: 5 }), { minLength: 1 }),
        (items) => {
          const batch = joinPayloads(
            items.map((values) => rows(values.length, i64([values.length], values))),
          );
          if (batch.kind === 'texts') throw new Error('expected tensors');
          const counts = items.map((values) => values.length);
          const back = splitOutput({ runMs: 0, laneMs: 0, outputs: batch.inputs }, counts, true);
          expect(back.map((item) => plain(item.outputs[0]!).values.map(Number))).toEqual(items);
        },
      ),
    ));
});
