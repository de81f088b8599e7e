import type { TensorSpec } from '../tensor.js';
import type { Signature } from './signature.js';

export type BatchAxis =
  | { readonly kind: 'dynamic' }
  | { readonly kind: 'fixed'; readonly size: number }
  | { readonly kind: 'none'; readonly reason: string };

/**
 * What the declared shapes say about axis 0, before anything has run. Rows can be joined when axis 0 of every input
 * is variable, or has the same fixed size in all of them, and every output has an axis 0 too. The self-test then shows
 * whether the model keeps that promise.
 */
export const batchAxisOf = ({ inputs, outputs }: Signature): BatchAxis => {
  const [first] = inputs;
  if (first === undefined) return none('the model has no inputs');
  const scalar = [...inputs, ...outputs].find((spec) => spec.shape.length === 0);
  if (scalar !== undefined)
    return none(`${kindOf(scalar, inputs)} '${scalar.name}' has no batch dimension (shape [])`);

  const size = first.shape[0];
  const odd = inputs.find(
    (spec) => typeof spec.shape[0] !== typeof size || (typeof size === 'number' && spec.shape[0] !== size),
  );
  if (odd !== undefined)
    return none(
      `input '${odd.name}' has first dimension ${String(odd.shape[0])} and input '${first.name}' has ${String(size)}: they have no batch dimension in common`,
    );
  if (typeof size === 'number') {
    const short = outputs.find((spec) => typeof spec.shape[0] === 'number' && spec.shape[0] !== size);
    return short === undefined
      ? { kind: 'fixed', size }
      : none(`output '${short.name}' has first dimension ${String(short.shape[0])}, the inputs have ${size}`);
  }
  const frozen = outputs.find((spec) => typeof spec.shape[0] === 'number');
  return frozen === undefined
    ? { kind: 'dynamic' }
    : none(
        `output '${frozen.name}' has the fixed first dimension ${String(frozen.shape[0])}: no batch dimension`,
      );
};

const none = (reason: string): BatchAxis => ({ kind: 'none', reason });

const kindOf = (spec: TensorSpec, inputs: readonly TensorSpec[]): string =>
  inputs.includes(spec) ? 'input' : 'output';
