import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gather, joined } from '../../../src/protocol/oip/gather.js';
import type { ModelInfo } from '../../../src/models/model-info.js';
import type { Tensor } from '../../../src/tensor.js';
import { infoOf, refusal, resultOf, spec, tensorOf, valuesOf } from '../support.js';

const info = (outputs: ModelInfo['signature']['outputs'] = [spec('y', 'float32', ['N', 'L'])]): ModelInfo =>
  infoOf({}, { signature: { inputs: [spec('input_ids', 'int64', ['N', 'S'])], outputs } });

const all = (parts: readonly Tensor[], of = info(), texts?: readonly number[]): Tensor =>
  joined(
    gather(
      of,
      resultOf(
        parts.map((tensor) => ({ outputs: [tensor] })),
        texts?.map((tokens) => ({ tokens, truncated: false })),
      ),
      0,
    ),
  );

describe('gather', () => {
  it('puts the rows of all items together', () => {
    const tensor = all([tensorOf('int32', [2, 2], [1, 2, 3, 4]), tensorOf('int32', [1, 2], [5, 6])]);
    expect([tensor.dims, valuesOf(tensor)]).toEqual([
      [3, 2],
      [1, 2, 3, 4, 5, 6],
    ]);
  });

  it('leaves a lone item as it is, without a batch axis too', () => {
    const tensor = all([tensorOf('float32', [], [7])]);
    expect([tensor.dims, valuesOf(tensor)]).toEqual([[], [7]]);
  });

  it('fills rows of different lengths up with zeros', () => {
    const tensor = all([tensorOf('float32', [2, 2], [1, 2, 3, 4]), tensorOf('float32', [1, 3], [5, 6, 7])]);
    expect([tensor.dims, valuesOf(tensor)]).toEqual([
      [3, 3],
      [1, 2, 0, 3, 4, 0, 5, 6, 7],
    ]);
    const words = all([tensorOf('string', [1, 1], ['a']), tensorOf('string', [1, 2], ['b', 'c'])]);
    expect([words.dims, valuesOf(words)]).toEqual([
      [2, 2],
      ['a', '', 'b', 'c'],
    ]);
  });

  it('leaves out what the model said of the padding of a text', () => {
    const parts = [tensorOf('float32', [1, 4], [1, 2, 9, 9]), tensorOf('float32', [1, 4], [3, 4, 5, 9])];
    const tokens = [2, 3];
    const perToken = info([spec('y', 'float32', ['N', 'S'])]);
    const tensor = all(parts, perToken, tokens);
    expect([tensor.dims, valuesOf(tensor)]).toEqual([
      [2, 3],
      [1, 2, 0, 3, 4, 5],
    ]);
    const alone = all(parts.slice(0, 1), perToken, tokens.slice(0, 1));
    expect([alone.dims, valuesOf(alone)]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(all(parts, info(), tokens).dims).toEqual([2, 4]);
  });

  it('is right for every shape, element by element', () => {
    const part = fc.tuple(
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 3 }),
    );
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (shapes) => {
        let next = 1;
        const parts = shapes.map((dims) =>
          tensorOf(
            'int16',
            dims,
            Array.from({ length: dims[0] * dims[1] * dims[2] }, () => next++),
          ),
        );
        const tensor = all(parts, info([spec('y', 'int16', ['N', 'a', 'b'])]));
        const [, longest = 0, widest = 0] = tensor.dims;
        const expected: number[] = [];
        for (const { dims, data } of parts)
          for (let row = 0; row < dims[0]!; row++)
            for (let y = 0; y < longest; y++)
              for (let x = 0; x < widest; x++)
                expected.push(
                  y < dims[1]! && x < dims[2]! ? Number(data[(row * dims[1]! + y) * dims[2]! + x]) : 0,
                );
        expect(valuesOf(tensor)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses what fits no rectangle, or no memory', () => {
    const ranks = [tensorOf('float32', [1, 2], [1, 2]), tensorOf('float32', [1, 1, 2], [1, 2])];
    expect(refusal(() => all(ranks))).toMatchObject({ code: 'EXECUTION_FAILED' });
    const wide: Tensor = { dtype: 'uint8', dims: [1, 2 ** 28], data: new Uint8Array(0) };
    const long: Tensor = { dtype: 'uint8', dims: [3, 1], data: new Uint8Array(3) };
    expect(refusal(() => all([wide, long]))).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });
});
