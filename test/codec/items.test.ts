import { describe, expect, it } from '@jest/globals';
import { itemsOfTensors, itemsOfTexts } from '../../src/codec/items.js';
import { batchingSchema } from '../../src/config/batching.js';
import type { ModelInfo } from '../../src/models/model-info.js';
import type { Tensor } from '../../src/tensor.js';
import { infoOf, spec, tensorOf } from '../protocol/support.js';
import { f32, i64 } from '../support/lanes.js';

const INPUTS = [spec('ids', 'int64', ['N', 'T']), spec('x', 'float32', ['N', 3])];

const info = (batching: object = {}, parts: Partial<ModelInfo> = {}): ModelInfo =>
  infoOf(
    {},
    { batching: batchingSchema.parse(batching), signature: { inputs: INPUTS, outputs: [] }, ...parts },
  );

const zeros = (...dims: number[]): Tensor =>
  f32(
    dims,
    dims.reduce<number[]>((values, dim) => Array.from({ length: dim }, () => values).flat(), [0]),
  );

/** `rows` rows of `length` ids and of three numbers. */
const request = (rows: number, length: number, model = info()) =>
  itemsOfTensors({ kind: 'tensors', rows, tensors: [zeros(rows, length), zeros(rows, 3)] }, model);

const identities = (tensors: readonly Tensor[], model = info(), rows = 1): (string | undefined)[] =>
  itemsOfTensors({ kind: 'tensors', rows, tensors }, model).map((item) => item.identity);

describe('items of a model with a fixed sequence length', () => {
  it('are all as long as that', () => {
    const model = info({}, { textLength: 16, takesTexts: true });
    const encoded = {
      ids: Int32Array.of(1, 2, 3, 4),
      lengths: Int32Array.of(3, 1),
      truncated: Uint8Array.of(0, 0),
    };
    expect(itemsOfTexts(encoded, model).map(({ length }) => length)).toEqual([16, 16]);
    const tensors = [zeros(2, 16), zeros(2, 3)];
    expect(itemsOfTensors({ kind: 'tensors', rows: 2, tensors }, model)).toMatchObject([{ length: 16 }]);
  });
});

describe('items of tensors', () => {
  it('are as long as the largest axis that the model leaves open, the batch apart', () => {
    expect(request(2, 128)).toMatchObject([{ rows: 2, length: 128, compat: '128|3' }]);
    const image = { inputs: [spec('x', 'float32', ['N', 3, 'H', 'W'])], outputs: [] };
    const items = itemsOfTensors(
      { kind: 'tensors', rows: 1, tensors: [zeros(1, 3, 5, 7)] },
      info({}, { signature: image }),
    );
    expect(items).toMatchObject([{ rows: 1, length: 7 }]);
  });

  it('are of length 1 where all shapes are fixed', () => {
    const fixed = { inputs: [spec('x', 'float32', ['N', 3])], outputs: [] };
    const items = itemsOfTensors(
      { kind: 'tensors', rows: 2, tensors: [zeros(2, 3)] },
      info({}, { signature: fixed }),
    );
    expect(items).toMatchObject([{ rows: 2, length: 1 }]);
  });

  it.each<[string, number, number, object, Partial<ModelInfo>, number[]]>([
    ['rows', 5, 1, { maxBatch: 2 }, {}, [2, 2, 1]],
    ['tokens', 5, 8, { maxBatchTokens: 20 }, {}, [2, 2, 1]],
    ['tokens, although one row has more', 3, 30, { maxBatchTokens: 20 }, {}, [1, 1, 1]],
    ['the size of a fixed batch', 5, 8, { maxBatch: 2 }, { batch: { mode: 'fixed', size: 4 } }, [4, 1]],
    ['nothing, where requests run whole', 5, 8, { maxBatch: 2 }, { batch: { mode: 'single' } }, [5]],
  ])('are split by %s', (_, rows, length, batching, parts, split) => {
    expect(request(rows, length, info(batching, parts)).map((item) => item.rows)).toEqual(split);
  });

  it('keep no row twice and lose none when they are split', () => {
    const ids = i64([3, 1], [7, 8, 9]);
    const items = itemsOfTensors(
      { kind: 'tensors', rows: 3, tensors: [ids, zeros(3, 3)] },
      info({ maxBatch: 2 }),
    );
    const seen = items.map(({ payload }) =>
      payload.kind === 'tensors' ? Array.from(payload.inputs[0]!.data, Number) : [],
    );
    expect(seen).toEqual([[7, 8], [9]]);
  });

  it('without rows are one', () => {
    expect(request(0, 4, info({}, { batch: { mode: 'single' } }))).toHaveLength(1);
  });
});

describe('the identity of tensors', () => {
  const base = (): Tensor[] => [i64([1, 2], [1, 2]), f32([1, 3], [1, 2, 3])];
  const text = (...data: string[]): Tensor[] => [tensorOf('string', [1, data.length], data)];

  it('is the same for the same bytes, wherever they lie', () => {
    const view = f32([1, 3], [0, 1, 2, 3]);
    const shifted: Tensor = { ...view, data: (view.data as Float32Array).subarray(1) };
    const [identity] = identities(base());
    expect(identity).toBeDefined();
    expect(identities([i64([1, 2], [1, 2]), shifted])).toEqual([identity]);
  });

  it.each<[string, Tensor[], Tensor[]]>([
    ['a value', base(), [i64([1, 2], [1, 3]), f32([1, 3], [1, 2, 3])]],
    ['a value of the last input', base(), [i64([1, 2], [1, 2]), f32([1, 3], [1, 2, 4])]],
    ['the sign of zero', [f32([1, 1], [0])], [f32([1, 1], [-0])]],
    ['the dims', [f32([1, 2, 3], [1, 2, 3, 4, 5, 6])], [f32([1, 3, 2], [1, 2, 3, 4, 5, 6])]],
    ['where one string ends', text('ab', 'c'), text('a', 'bc')],
    ['a string with what stands between strings', text('a","b'), text('a', 'b')],
    ['a lone surrogate', text('\ud800'), text('\ufffd')],
  ])('differs by %s', (_, one, other) => {
    expect(identities(one)).not.toEqual(identities(other));
  });

  it('is no identity of a text', () => {
    const ids = Int32Array.from([1, 2]);
    const encoded = { ids, lengths: Int32Array.from([2]), truncated: new Uint8Array(1) };
    const [{ identity: ofText } = { identity: undefined }] = itemsOfTexts(encoded, info());
    expect(ofText).toBeDefined();
    const [ofTensors] = identities(base());
    // As ids, the first two characters are beyond any vocabulary.
    const [low = 0, high = 0] = [ofTensors?.charCodeAt(0), ofTensors?.charCodeAt(1)];
    expect(low + high * 65_536).toBeGreaterThan(16_000_000);
  });

  it('is of each chunk of a request', () => {
    const tensors = [i64([4, 1], [1, 2, 1, 2]), zeros(4, 3)];
    const [first, second] = identities(tensors, info({ maxBatch: 2 }), 4);
    expect(first).toBeDefined();
    expect(second).toBe(first);
  });

  it.each<[string, number, object]>([
    ['is 64 KiB or less', 1 << 14, {}],
    ['is larger', (1 << 14) + 1, {}],
    ['may not share', 8, { singleFlight: false }],
  ])('is none unless the request %s', (name, elements, batching) => {
    const model = info(batching, {
      signature: { inputs: [spec('x', 'float32', ['N', 'T'])], outputs: [] },
    });
    const [identity] = identities([zeros(1, elements)], model);
    if (name === 'is 64 KiB or less') expect(identity).toBeDefined();
    else expect(identity).toBeUndefined();
  });

  it('is none where a request has very many items', () => {
    const model = info(
      { maxBatch: 1 },
      { signature: { inputs: [spec('x', 'float32', ['N', 1])], outputs: [] } },
    );
    expect(identities([zeros(256, 1)], model, 256)[0]).toBeDefined();
    expect(identities([zeros(257, 1)], model, 257)[0]).toBeUndefined();
  });
});
