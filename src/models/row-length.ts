import type { CostBasis } from '#batcher';
import type { Tensor } from '../tensor.js';
import type { Signature } from './signature.js';

/** Axes that may differ from request to request, the batch apart. */
const isVariable = (dim: number | string, axis: number): boolean => axis > 0 && typeof dim === 'string';

/**
 * Length of each row of a request's tensors: the largest size among the axes that the model leaves open (the tokens of
 * `[batch, sequence]`), 1 where all shapes are fixed. Its runs cost by it.
 *
 * @param tensors one for every input, in the order of the signature
 */
export const rowLength = ({ inputs }: Signature, tensors: readonly Tensor[]): number => {
  let longest = 1;
  for (const [i, { shape }] of inputs.entries())
    for (const [axis, dim] of shape.entries())
      if (isVariable(dim, axis)) longest = Math.max(longest, tensors[i]?.dims[axis] ?? 1);
  return longest;
};

/** What runs of the model are measured by: rows times length where rows have a length, else rows. */
export const costBasisOf = ({ inputs }: Signature): CostBasis =>
  inputs.some(({ shape }) => shape.some(isVariable)) ? 'padded' : 'rows';
