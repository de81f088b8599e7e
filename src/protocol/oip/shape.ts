import { CarpoolError } from '../../errors.js';
import type { TensorSpec } from '../../tensor.js';
import { describe, isList } from '../json/describe.js';
import { isBatched } from '../own/batch-axis.js';
import { refuse } from '../own/fields.js';
import type { ParseView } from '../own/parse.js';
import { wireShape } from './datatypes.js';

/** Above any real tensor: an index into it would not be exact any more. */
const MOST_ELEMENTS = Number.MAX_SAFE_INTEGER;

/** Elements that `dims` hold. @throws CarpoolError INVALID_REQUEST beyond 2^53 */
export const countOf = (dims: readonly number[], where: string): number => {
  let count = 1;
  for (const dim of dims) count *= dim;
  if (count > MOST_ELEMENTS) throw refuse(where, `shape [${dims.join(',')}] has more than 2^53 elements`);
  return count;
};

/** `shape` of a body: integers from 0 to 2^53. @throws CarpoolError INVALID_REQUEST */
export const readShape = (shape: unknown, where: string): number[] => {
  if (!isList(shape)) throw refuse(where, `expected "shape" as a list of integers, got ${describe(shape)}`);
  return shape.map((dim, axis) => {
    if (typeof dim === 'number' && Number.isSafeInteger(dim) && dim >= 0) return dim;
    throw refuse(where, `expected an integer from 0 on as shape[${axis}], got ${describe(dim)}`);
  });
};

/**
 * The shape of an input against what the model declares; the batch axis is the caller's, up to `maxRows`.
 * @throws CarpoolError INVALID_REQUEST, PAYLOAD_TOO_LARGE
 */
export const checkShape = (
  dims: readonly number[],
  spec: TensorSpec,
  { signature, batch, maxRows }: ParseView,
  where: string,
): void => {
  const batched = isBatched(spec, signature, batch);
  const [, ...tail] = wireShape(spec.shape);
  const expected = batched ? [-1, ...tail] : wireShape(spec.shape);
  const fits =
    dims.length === expected.length && expected.every((dim, axis) => dim < 0 || dim === dims[axis]);
  if (!fits) {
    const hint = dims.length === expected.length - 1 ? '; axis 0 is the batch, for one row put 1 there' : '';
    throw refuse(where, `expected shape [${expected.join(',')}], got [${dims.join(',')}]${hint}`);
  }
  const empty = dims.indexOf(0);
  if (empty !== -1)
    throw refuse(where, `expected at least 1 on axis ${empty}, got shape [${dims.join(',')}]`);
  const [rows = 1] = dims;
  if (batched && rows > maxRows)
    throw new CarpoolError(
      'PAYLOAD_TOO_LARGE',
      `${where}: expected at most ${maxRows} rows in a request, got ${rows}`,
    );
};
