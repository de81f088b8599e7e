import type { InferRequest, TextInput } from '../../infer.js';
import type { Tensor, TensorSpec } from '../../tensor.js';
import { quoted } from '../json/describe.js';
import { checkRows, rowsOf } from '../own/batch-axis.js';
import { refuse } from '../own/fields.js';
import type { ParseView } from '../own/parse.js';
import { CarpoolError } from '../../errors.js';
import { datatypeOf, isDatatype, wireShape } from './datatypes.js';
import { checkShape } from './shape.js';

/** An input tensor as it came, by JSON, by raw bytes or by protobuf. */
export interface Source {
  readonly name: string;
  readonly datatype: string;
  readonly dims: readonly number[];
  /** The elements, once name, datatype and shape are known to be right. */
  readonly read: (spec: TensorSpec, dims: readonly number[], where: string) => Tensor;
}

/** Names under which a text model takes raw texts beside its real inputs. */
const TEXT_NAMES: readonly string[] = ['text', 'TEXT'];

/** `input_ids INT64 [-1,-1], …` */
const describeInputs = ({ signature, takesTexts }: ParseView): string => {
  const specs = signature.inputs.map(
    ({ name, dtype, shape }) => `${name} ${datatypeOf(dtype)} [${wireShape(shape).join(',')}]`,
  );
  return `${specs.join(', ')}${takesTexts ? '; or text BYTES [-1]' : ''}`;
};

/**
 * The inputs of a request as the pipeline takes them.
 * @throws CarpoolError INVALID_REQUEST naming the tensor, PAYLOAD_TOO_LARGE (more rows than `view.maxRows`)
 */
export const inputOf = (sources: readonly Source[], view: ParseView): InferRequest['input'] => {
  const { signature, takesTexts } = view;
  const known = new Set(signature.inputs.map(({ name }) => name));
  const byName = new Map<string, Source>();
  for (const source of sources) {
    if (byName.has(source.name)) throw refuse('inputs', `got tensor ${quoted(source.name)} twice`);
    byName.set(source.name, source);
  }
  const text = takesTexts
    ? sources.find(({ name }) => TEXT_NAMES.includes(name) && !known.has(name))
    : undefined;
  if (text !== undefined) {
    if (sources.length === 1) return textsOf(text, view);
    throw refuse('inputs', `expected ${quoted(text.name)} alone, got ${sources.length} tensors`);
  }
  for (const { name } of sources)
    if (!known.has(name))
      throw refuse('inputs', `unknown tensor ${quoted(name)}; expected ${describeInputs(view)}`);
  const tensors = signature.inputs.map((spec) => {
    const source = byName.get(spec.name);
    if (source === undefined)
      throw refuse('inputs', `missing tensor ${quoted(spec.name)}; expected ${describeInputs(view)}`);
    const where = `inputs.${spec.name}`;
    checkDatatype(source, spec, where);
    checkShape(source.dims, spec, view, where);
    return source.read(spec, source.dims, where);
  });
  checkRows(tensors, signature, view.batch);
  return { kind: 'tensors', tensors, rows: rowsOf(tensors, signature, view.batch) };
};

const checkDatatype = ({ datatype }: Source, { dtype }: Pick<TensorSpec, 'dtype'>, where: string): void => {
  const expected = datatypeOf(dtype);
  if (datatype === expected) return;
  if (datatype === 'BF16') throw refuse(where, `BF16 is not supported; expected ${expected}`);
  throw refuse(
    where,
    isDatatype(datatype)
      ? `expected datatype ${expected}, got ${datatype}`
      : `expected datatype ${expected}, got ${quoted(datatype)}`,
  );
};

/** `[n]` or `[n,1]` texts. */
const textsOf = (source: Source, { maxRows }: ParseView): TextInput => {
  const where = `inputs.${source.name}`;
  const spec: TensorSpec = { name: source.name, dtype: 'string', shape: ['N'] };
  checkDatatype(source, spec, where);
  const [rows = 0, ...tail] = source.dims;
  if (source.dims.length === 0 || tail.length > 1 || tail.some((dim) => dim !== 1))
    throw refuse(where, `expected shape [-1] or [-1,1], got [${source.dims.join(',')}]`);
  if (rows === 0) throw refuse(where, 'expected at least one text, got none');
  if (rows > maxRows)
    throw new CarpoolError(
      'PAYLOAD_TOO_LARGE',
      `${where}: expected at most ${maxRows} texts in a request, got ${rows}`,
    );
  const { data } = source.read(spec, source.dims, where);
  // The dtype above says which array it is.
  return { kind: 'texts', texts: data as string[] };
};
