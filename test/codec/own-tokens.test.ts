import { expect, it } from '@jest/globals';
import { ownTokens } from '../../src/codec/own-tokens.js';
import type { Tensor } from '../../src/tensor.js';
import { spec, tensorOf, valuesOf } from '../protocol/support.js';

const signature = {
  inputs: [spec('input_ids', 'int64', ['b', 's'])],
  outputs: [spec('hidden', 'float32', ['b', 's', 2]), spec('pooled', 'float32', ['b', 4])],
};
const hidden = tensorOf('float32', [1, 4, 2], [1, 2, 3, 4, 0, 0, 0, 0]);
const pooled = tensorOf('float32', [1, 4], [5, 6, 7, 8]);
const plain = ({ dims, ...tensor }: Tensor): unknown => [dims, valuesOf({ dims, ...tensor })];

it('cuts the padding off the outputs that go along the tokens, and off no other', () => {
  const { outputs } = ownTokens(signature, { outputs: [hidden, pooled] }, 2);
  expect(outputs.map(plain)).toEqual([
    [[1, 2, 2], [1, 2, 3, 4]],
    [[1, 4], [5, 6, 7, 8]],
  ]); // prettier-ignore
});

it('leaves what has the right length, was pooled in the lane, or has no name for the axis', () => {
  expect(ownTokens(signature, { outputs: [hidden, pooled] }, 4).outputs.map(plain)).toEqual(
    [hidden, pooled].map(plain),
  );
  // `[1, size]` where the file says `[b, s, size]`.
  expect(ownTokens(signature, { outputs: [pooled] }, 2).outputs.map(plain)).toEqual([pooled].map(plain));
  const nameless = { ...signature, inputs: [spec('input_ids', 'int64', ['b', 7])] };
  expect(ownTokens(nameless, { outputs: [hidden] }, 2).outputs).toEqual([hidden]);
});
