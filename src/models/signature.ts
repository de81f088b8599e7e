import type { TensorSpec } from '../tensor.js';

/** Inputs and outputs as the ONNX file declares them; introspected at load. */
export interface Signature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}
