import { elementCount, bytesPerElement, type TensorSpec } from '../../tensor.js';
import type { InferRequest } from '../../infer.js';
import { isBatched, rowsOf } from '../own/batch-axis.js';
import { refuse } from '../own/fields.js';
import type { ParseView } from '../own/parse.js';
import type { Parsed } from '../parse.js';
import { tensorOfBytes } from './binary-tensor.js';
import { readText } from './bytes-tensor.js';
import { datatypeOf, wireShape } from './datatypes.js';
import { outputAsks } from './parse-outputs.js';
import { checkShape } from './shape.js';

/**
 * A body that is the bytes of the model's single input, batch 1; one other variable dimension follows from the number
 * of bytes. For BYTES, and for models that take texts, the body is one element, without a length before it.
 * @throws CarpoolError INVALID_REQUEST
 */
export const parseRaw = (bytes: Uint8Array, view: ParseView): Parsed => ({
  request: { model: view.name, input: rawInput(bytes, view), options: {} },
  answer: { kind: 'oip', outputs: outputAsks(undefined, view.signature, true) },
});

const rawInput = (bytes: Uint8Array, view: ParseView): InferRequest['input'] => {
  const { inputs } = view.signature;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.takesTexts) return { kind: 'texts', texts: [readText(buffer, 'body')] };
  const [spec] = inputs;
  if (spec === undefined || inputs.length > 1)
    throw refuse(
      'body',
      `a raw body (Inference-Header-Content-Length: 0) needs a model with one input, ${view.name} has ${inputs.length}`,
    );
  const where = `inputs.${spec.name}`;
  const dims = rawDims(bytes.byteLength, spec, view, where);
  checkShape(dims, spec, view, where);
  const tensor =
    spec.dtype === 'string'
      ? { dtype: spec.dtype, dims, data: [readText(buffer, where)] }
      : tensorOfBytes(bytes, spec, dims, where);
  return { kind: 'tensors', tensors: [tensor], rows: rowsOf([tensor], view.signature, view.batch) };
};

const rawDims = (
  size: number,
  spec: TensorSpec,
  { signature, batch }: ParseView,
  where: string,
): number[] => {
  const { dtype, shape } = spec;
  const declared = wireShape(shape);
  const dims = isBatched(spec, signature, batch) ? [1, ...declared.slice(1)] : declared;
  const open = dims.flatMap((dim, axis) => (dim < 0 ? [axis] : []));
  const shown = `[${dims.join(',')}]`;
  if (dtype === 'string') {
    if (open.length === 0 && elementCount(dims) === 1) return dims;
    throw refuse(where, `a raw body of BYTES is one element, the model's input has shape ${shown}`);
  }
  const [axis, another] = open;
  if (axis === undefined) return dims;
  if (another !== undefined)
    throw refuse(where, `the shape ${shown} does not follow from the bytes of a raw body; send its JSON too`);
  const stride = elementCount(dims.toSpliced(axis, 1)) * bytesPerElement(dtype);
  if (size === 0 || size % stride !== 0)
    throw refuse(
      where,
      `expected a multiple of ${stride} bytes for ${datatypeOf(dtype)} ${shown}, got ${size}`,
    );
  return dims.with(axis, size / stride);
};
