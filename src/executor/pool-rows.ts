import { allocate, sliceRows, type Tensor } from '../tensor.js';
import { pool, type Pooling } from './pooling.js';

/** Which output's vectors of tokens become one vector a text, and how. */
export interface PoolSpec {
  /** Position of the output among the signature's. */
  readonly output: number;
  readonly pooling: Pooling;
}

/**
 * A run's outputs without what nobody asked for: of the chosen one `[rows, longest, size]` a vector a text, over its own
 * tokens, `[rows, size]`; the others empty, `[rows, 0]`. A hundredth of it travels then. An output of another shape or
 * dtype is left for those who read it.
 */
export const poolRows = (
  outputs: readonly Tensor[],
  lengths: Int32Array,
  { output, pooling }: PoolSpec,
): readonly Tensor[] => {
  const rows = lengths.length;
  const chosen = outputs[output];
  if (chosen?.dims[0] !== rows) return outputs;
  return outputs.map((tensor, i) =>
    i === output
      ? pooled(tensor, lengths, pooling)
      : { dtype: tensor.dtype, dims: [rows, 0], data: allocate(tensor.dtype, 0) },
  );
};

const pooled = (tensor: Tensor, lengths: Int32Array, pooling: Pooling): Tensor => {
  const [rows = 0, longest = 0, size, ...more] = tensor.dims;
  if (tensor.dtype !== 'float32' || Array.isArray(tensor.data) || size === undefined || more.length > 0)
    return tensor;
  if (lengths.some((length) => length > longest)) return tensor;
  const data = new Float32Array(rows * size);
  for (const [row, length] of lengths.entries()) {
    const own = sliceRows(tensor, row, row + 1).data;
    // The tag says float32, so these are numbers.
    data.set(pool(own as Float32Array, length, size, pooling), row * size);
  }
  return { dtype: 'float32', dims: [rows, size], data };
};
