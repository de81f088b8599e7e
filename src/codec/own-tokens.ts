import type { ItemOutput } from '../infer.js';
import type { Signature } from '../models/signature.js';
import { sliceRows, type Tensor } from '../tensor.js';

/**
 * An item's outputs without what the padding of its batch added: `[1, 9, n]` of a text of 5 tokens becomes `[1, 5, n]`,
 * a view. Outputs are known to go along the tokens by the name of their axis 1, the same as that of the ids.
 */
export const ownTokens = (signature: Signature, item: ItemOutput, tokens: number): ItemOutput => {
  const axis = signature.inputs.find(({ name }) => name === 'input_ids')?.shape[1];
  if (typeof axis !== 'string' || axis === '') return item;
  return {
    outputs: item.outputs.map((tensor, i) => {
      const shape = signature.outputs[i]?.shape ?? [];
      // What was pooled in the lane has lost the axis.
      return shape[1] === axis && shape.length === tensor.dims.length ? cutTokens(tensor, tokens) : tensor;
    }),
  };
};

const cutTokens = (tensor: Tensor, tokens: number): Tensor => {
  const [rows, length = 0, ...tail] = tensor.dims;
  if (rows !== 1 || length <= tokens) return tensor;
  const own = sliceRows({ ...tensor, dims: [length, ...tail] }, 0, tokens);
  return { ...own, dims: [1, tokens, ...tail] };
};
