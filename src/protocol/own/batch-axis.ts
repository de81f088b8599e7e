import type { BatchMode } from '../../models/model-info.js';
import type { Signature } from '../../models/signature.js';
import type { Tensor, TensorSpec } from '../../tensor.js';
import { refuse } from './fields.js';

/**
 * Does axis 0 of an input count the rows of the request? Where some input has a symbolic axis 0, these are the ones that
 * do, and the others are like scalars. Where none has, a fixed axis 0 that is the same in all is the size of the chunks
 * in which the rows are run; but a model that is run one request at a time takes its inputs as they are declared.
 */
export const isBatched = (spec: TensorSpec, { inputs }: Signature, batch?: BatchMode): boolean => {
  const first = spec.shape[0];
  if (typeof first === 'string') return true;
  if (first === undefined || batch?.mode === 'single') return false;
  return inputs.every(({ shape }) => shape.length === 0 || shape[0] === first);
};

/** Rows of the request: axis 0 of the first input that counts them, else of the first that has one; else 1. */
export const rowsOf = (tensors: readonly Tensor[], signature: Signature, batch?: BatchMode): number => {
  const batched = signature.inputs.findIndex((spec) => isBatched(spec, signature, batch));
  const any = signature.inputs.findIndex(({ shape }) => shape.length > 0);
  return tensors[batched === -1 ? any : batched]?.dims[0] ?? 1;
};

/**
 * Inputs that count rows must have as many as the first of them; the others exactly what is declared. A model that is
 * run one request at a time may have several counts: there only axes of the same symbol must agree.
 * @throws CarpoolError INVALID_REQUEST
 */
export const checkRows = (tensors: readonly Tensor[], signature: Signature, batch?: BatchMode): void => {
  const firstOf = new Map<string, { readonly name: string; readonly rows: number }>();
  for (const [index, spec] of signature.inputs.entries()) {
    const rows = tensors[index]?.dims[0];
    const declared = spec.shape[0];
    if (rows === undefined || declared === undefined) continue;
    const where = `inputs.${spec.name}`;
    if (!isBatched(spec, signature, batch)) {
      if (rows !== declared) throw refuse(where, `expected exactly ${declared} on axis 0, got ${rows}`);
      continue;
    }
    // An unnamed symbol says nothing: two of them may differ.
    const symbol = batch?.mode === 'single' ? `${declared}` || spec.name : '';
    const first = firstOf.get(symbol);
    if (first === undefined) firstOf.set(symbol, { name: spec.name, rows });
    else if (first.rows !== rows)
      throw refuse(where, `expected ${first.rows} rows as in inputs.${first.name}, got ${rows}`);
  }
};
