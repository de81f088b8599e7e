import { CarpoolError } from '../../errors.js';
import { elementCount, type Tensor, type TensorSpec } from '../../tensor.js';
import { describe, isList, quoted } from './describe.js';
import { elementProblem } from './element-problem.js';
import { elementWriter } from './element-writer.js';

const refuse = (where: string, problem: string): CarpoolError =>
  new CarpoolError('INVALID_REQUEST', `${where}: ${problem}`);

const describeShape = (shape: TensorSpec['shape']): string =>
  `[${shape.map((dim) => (dim === '' ? '?' : dim)).join(',')}]`;

/** `float32 [N,30]`. */
export const describeSpec = ({ dtype, shape }: TensorSpec): string => `${dtype} ${describeShape(shape)}`;

const lengthsAlongFirst = (value: unknown): number[] => {
  const dims: number[] = [];
  for (let level = value; isList(level); level = level[0]) dims.push(level.length);
  return dims;
};

const refuseRank = (value: unknown, shape: TensorSpec['shape'], where: string): CarpoolError => {
  const came = lengthsAlongFirst(value);
  const got = isList(value) ? `rank ${came.length} [${came.join(',')}]` : describe(value);
  const hint =
    came.length === shape.length - 1 && isList(value) ? '; to send one row, put it into one more list' : '';
  return refuse(where, `expected rank ${shape.length} ${describeShape(shape)}, got ${got}${hint}`);
};

/**
 * Dimensions of nested lists, read off the first list of each level; fixed ones, except that of axis 0, come from the
 * spec, so that the lists are what gets the blame later.
 */
const inferDims = (value: unknown, { shape }: TensorSpec, where: string): number[] => {
  const dims: number[] = [];
  let level = value;
  for (const [axis, fixed] of shape.entries()) {
    if (!isList(level)) throw refuseRank(value, shape, where);
    dims.push(typeof fixed === 'number' && axis > 0 ? fixed : level.length);
    // One child of the wrong kind is reported by its path later on; when all of them are, it is the rank that is wrong.
    const wantLists = axis < shape.length - 1;
    const good = level.find((child) => isList(child) === wantLists);
    if (good === undefined && level.length > 0) throw refuseRank(value, shape, where);
    if (level.length === 0) return [...dims, ...shape.slice(axis + 1).map(() => 1)];
    level = good;
  }
  return dims;
};

interface Ragged {
  readonly path: string;
  readonly axis: number;
  readonly got: unknown;
}

const findRagged = (list: unknown, dims: readonly number[], axis: number): Ragged | undefined => {
  if (!isList(list) || list.length === 0 || list.length !== dims[axis]) return { path: '', axis, got: list };
  if (axis === dims.length - 1) return undefined;
  for (let i = 0; i < list.length; i++) {
    const ragged = findRagged(list[i], dims, axis + 1);
    if (ragged !== undefined) return { ...ragged, path: `[${i}]${ragged.path}` };
  }
  return undefined;
};

const describeRagged = (
  { got, axis }: Ragged,
  dims: readonly number[],
  columns?: readonly string[],
): string => {
  const isLast = axis === dims.length - 1;
  const expected = dims[axis] ?? 0;
  if (isList(got) && got.length === 0)
    return `expected at least one ${axis === 0 ? 'row' : 'value'}, got an empty list`;
  const unit = isLast ? 'values' : 'lists';
  if (!isList(got)) return `expected a list of ${expected} ${unit}, got ${describe(got)}`;
  const missing = isLast && columns?.length === expected ? columns[got.length] : undefined;
  const hint = missing === undefined ? '' : `; the first one missing is ${quoted(missing)}`;
  return `expected ${expected} ${unit}, got ${got.length}${hint}`;
};

const pathOf = (index: number, dims: readonly number[]): string => {
  let path = '';
  let rest = index;
  for (const dim of dims.toReversed()) {
    path = `[${rest % dim}]${path}`;
    rest = Math.floor(rest / dim);
  }
  return path;
};

/**
 * Nested lists to a tensor of the spec's dtype and rank. Every axis but the first must have the spec's length where
 * that is fixed; axis 0 may have any length from 1 on, because batches of a fixed size are run in chunks.
 * Integers must be integral and in range (64-bit ones exactly: number up to ±2^53, bigint beyond), floats must be finite
 * after rounding, bool takes true, false, 1 and 0. Nothing is guessed: a row without its outer list is refused.
 *
 * @param where the tensor's place in the body, for messages: `inputs.x` gives `inputs.x[3][7]: expected …`.
 * @param columns names along the last axis; a row that is too short is told the first one it lacks.
 * @throws CarpoolError INVALID_REQUEST
 */
export const tensorFromJson = (
  value: unknown,
  spec: TensorSpec,
  where: string,
  columns?: readonly string[],
): Tensor => {
  const { dtype } = spec;
  const dims = inferDims(value, spec, where);
  // Before anything is allocated: the product of ragged dims could be far larger than the body.
  const ragged = dims.length === 0 ? undefined : findRagged(value, dims, 0);
  if (ragged !== undefined) throw refuse(where + ragged.path, describeRagged(ragged, dims, columns));
  const writer = elementWriter(dtype, elementCount(dims));
  let at = 0;
  const fill = (list: readonly unknown[], axis: number): void => {
    if (axis < dims.length - 1) {
      for (const child of list) if (isList(child)) fill(child, axis + 1);
      return;
    }
    const wrong = writer.write(list, at);
    if (wrong !== -1) throw refuse(where + pathOf(at + wrong, dims), elementProblem(dtype, list[wrong]));
    at += list.length;
  };
  fill(dims.length > 0 && isList(value) ? value : [value], 0);
  return { dtype, dims, data: writer.data };
};
