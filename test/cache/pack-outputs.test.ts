import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seal, unseal } from '../../src/cache/envelope.js';
import { packOutputs, unpackOutputs } from '../../src/cache/pack-outputs.js';
import type { ItemOutput } from '../../src/infer.js';
import type { Signature } from '../../src/models/signature.js';
import { allocate, DTYPES, elementCount, type Tensor } from '../../src/tensor.js';

const signatureOf = ({ outputs }: ItemOutput): Signature => ({
  inputs: [],
  outputs: outputs.map(({ dtype, dims }, i) => ({ name: `o${i}`, dtype, shape: dims })),
});

/** Values that tell where they stand. */
const filled = (dtype: Tensor['dtype'], dims: readonly number[]): Tensor => {
  const data = allocate(dtype, elementCount(dims));
  for (let i = 0; i < data.length; i++)
    if (Array.isArray(data)) data[i] = `é${i}`;
    else if (dtype === 'int64' || dtype === 'uint64') data[i] = BigInt(i + 1);
    else data[i] = i + 1;
  return { dtype, dims, data };
};

const plain = ({ outputs }: ItemOutput): unknown =>
  outputs.map(({ dtype, dims, data }) => [dtype, dims, Array.from<unknown>(data)]);

const tensor = fc
  .tuple(fc.constantFrom(...DTYPES), fc.array(fc.nat(3), { maxLength: 3 }))
  .map(([dtype, dims]) => filled(dtype, dims));
const output = fc.array(tensor, { maxLength: 3 }).map((outputs): ItemOutput => ({ outputs }));

describe('packed outputs', () => {
  it('come back as they were, in memory of their own', () => {
    fc.assert(
      fc.property(output, (value) => {
        const packed = packOutputs(value);
        const back = unpackOutputs(packed, signatureOf(value), undefined);
        expect(back && plain(back)).toEqual(plain(value));
        packed.fill(255);
        expect(back && plain(back)).toEqual(plain(value));
      }),
    );
  });

  it('are of a view its own part only', () => {
    const data = Float32Array.from({ length: 100 }, (_, i) => i).subarray(40, 42);
    const value: ItemOutput = { outputs: [{ dtype: 'float32', dims: [1, 2], data }] };
    const packed = packOutputs(value);
    expect(packed.byteLength).toBe(1 + 6 + 8 + 8);
    expect(plain(unpackOutputs(packed, signatureOf(value), 1)!)).toEqual([['float32', [1, 2], [40, 41]]]);
  });

  it('of another model, another number of rows, or cut off are nothing', () => {
    const value: ItemOutput = { outputs: [filled('float32', [2, 3]), filled('string', [2])] };
    const signature = signatureOf(value);
    const packed = packOutputs(value);
    expect(unpackOutputs(packed, signature, 2)).toBeDefined();
    expect(unpackOutputs(packed, signature, 1)).toBeUndefined();
    expect(unpackOutputs(packed, { ...signature, outputs: signature.outputs.slice(1) }, 2)).toBeUndefined();
    const others = signature.outputs.map((spec) => ({ ...spec, dtype: 'int32' as const }));
    expect(unpackOutputs(packed, { ...signature, outputs: others }, 2)).toBeUndefined();
    for (let length = 0; length < packed.byteLength; length++)
      expect(unpackOutputs(packed.subarray(0, length), signature, 2)).toBeUndefined();
    expect(unpackOutputs(Buffer.concat([packed, Buffer.alloc(1)]), signature, 2)).toBeUndefined();
  });

  it('never throw, whatever the bytes are', () => {
    const signature = signatureOf({ outputs: [filled('string', [1]), filled('int64', [1])] });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        unpackOutputs(bytes, signature, undefined);
        expect(unseal('key', bytes)).toBeUndefined();
      }),
    );
  });
});

describe('a sealed entry', () => {
  const kept = { body: packOutputs({ outputs: [filled('float32', [1, 2])] }), atUnixMs: 1_700_000_000_123 };

  it('opens under its own key', () => {
    const opened = unseal('key', seal('key', kept));
    expect(opened?.atUnixMs).toBe(kept.atUnixMs);
    expect(Array.from(opened?.body ?? [])).toEqual(Array.from(kept.body));
    expect(unseal('yek', seal('key', kept))).toBeUndefined();
  });

  it('is nothing when any bit of it has changed', () => {
    const sealed = seal('key', kept);
    for (let bit = 0; bit < 8 * sealed.byteLength; bit++) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(unseal('key', changed)).toBeUndefined();
    }
  });
});
