import { CarpoolError } from '../../errors.js';
import type { TensorInput } from '../../infer.js';
import type { Card } from '../../models/card.js';
import type { BatchMode } from '../../models/model-info.js';
import type { Signature } from '../../models/signature.js';
import type { Tensor } from '../../tensor.js';
import { describe, isList, isObject, quoted } from '../json/describe.js';
import { describeSpec, tensorFromJson } from '../json/tensor-json.js';
import { checkRows, isBatched, rowsOf } from './batch-axis.js';
import { type Body, field, refuse } from './fields.js';

/** What parsing needs to know of a model: plain data. */
export interface ParseView {
  readonly name: string;
  readonly signature: Signature;
  readonly takesTexts: boolean;
  readonly takesImages?: boolean;
  readonly features?: Card['features'];
  /** Most rows (or texts) of one request. */
  readonly maxRows: number;
  /** `single`: inputs need not share their rows. Default: they do. */
  readonly batch?: BatchMode;
}

/** `a float32 [N,3], b float32 [N,2]`. */
export const describeInputs = ({ inputs }: Signature): string =>
  inputs.length === 0 ? 'no inputs' : inputs.map((spec) => `${spec.name} ${describeSpec(spec)}`).join(', ');

const named = (inputs: unknown, view: ParseView): Body => {
  const specs = view.signature.inputs;
  const only = specs.length === 1 ? specs[0] : undefined;
  if (!isObject(inputs)) {
    // The short form is read as the long one, so that its messages name the tensor too.
    if (only !== undefined) return { [only.name]: inputs };
    const hint = view.takesTexts ? '; or send "texts"' : '';
    throw refuse(
      'inputs',
      `expected an object with ${describeInputs(view.signature)}, got ${describe(inputs)}${hint}`,
    );
  }
  for (const name of Object.keys(inputs))
    if (!specs.some((spec) => spec.name === name))
      throw refuse('inputs', `unknown tensor ${quoted(name)}; expected ${describeInputs(view.signature)}`);
  return inputs;
};

/** `inputs` of a body as tensors in signature order. @throws CarpoolError INVALID_REQUEST, PAYLOAD_TOO_LARGE */
export const tensorInput = (inputs: unknown, view: ParseView): TensorInput => {
  const { signature, features, maxRows, batch } = view;
  const byName = named(inputs, view);
  const tensors: Tensor[] = [];
  for (const spec of signature.inputs) {
    const where = `inputs.${spec.name}`;
    const value = field(byName, spec.name);
    if (value === undefined)
      throw refuse('inputs', `missing tensor ${quoted(spec.name)}, ${describeSpec(spec)}`);
    if (isList(value) && value.length > maxRows && isBatched(spec, signature, batch))
      throw new CarpoolError(
        'PAYLOAD_TOO_LARGE',
        `${where}: expected at most ${maxRows} rows in a request, got ${value.length}`,
      );
    const columns =
      features !== undefined && Object.hasOwn(features, spec.name) ? features[spec.name] : undefined;
    tensors.push(tensorFromJson(value, spec, where, columns));
  }
  checkRows(tensors, signature, batch);
  return { kind: 'tensors', tensors, rows: rowsOf(tensors, signature, batch) };
};
