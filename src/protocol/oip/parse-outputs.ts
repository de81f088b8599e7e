import { describe, isList, isObject, quoted } from '../json/describe.js';
import { field, refuse, type Body } from '../own/fields.js';
import type { Signature } from '../../models/signature.js';
import type { OutputAsk } from './answer.js';
import { optionalFlag, optionalInteger, parametersOf } from './parameters.js';

/** The largest N of each row are picked on the event loop; who wants more wants the output itself. */
const MOST_CLASSES = 10_000;

/**
 * `outputs` of a request: absent or empty = all of the model's, in its order.
 * @param binaryByDefault the request's `binary_data_output`; an output's own `binary_data` wins
 * @throws CarpoolError INVALID_REQUEST
 */
export const outputAsks = (
  outputs: unknown,
  signature: Signature,
  binaryByDefault: boolean,
): readonly OutputAsk[] => {
  if (outputs !== undefined && outputs !== null && !isList(outputs))
    throw refuse('outputs', `expected a list, got ${describe(outputs)}`);
  const asks =
    outputs === undefined || outputs === null || outputs.length === 0
      ? signature.outputs.map(({ name }, index) => ({ name, index, binary: binaryByDefault }))
      : outputs.map((output, at) => askOf(output, `outputs[${at}]`, signature, binaryByDefault));
  const seen = new Set<string>();
  for (const ask of asks) {
    if (seen.has(ask.name)) throw refuse('outputs', `got ${quoted(ask.name)} twice`);
    seen.add(ask.name);
    checkAsk(ask, signature);
  }
  return asks;
};

const askOf = (output: unknown, at: string, signature: Signature, binaryByDefault: boolean): OutputAsk => {
  if (!isObject(output)) throw refuse(at, `expected an object with a name, got ${describe(output)}`);
  const name = nameOf(output, at);
  const index = outputIndex(name, signature, at);
  const where = `outputs.${name}`;
  const parameters = parametersOf(output, where);
  const classes = optionalInteger(parameters, 'classification', 0, where) ?? 0;
  if (classes > MOST_CLASSES)
    throw refuse(where, `expected parameters.classification of at most ${MOST_CLASSES}, got ${classes}`);
  return {
    name,
    index,
    binary: optionalFlag(parameters, 'binary_data', where) ?? binaryByDefault,
    ...(classes === 0 ? {} : { classes }),
  };
};

const nameOf = (output: Body, at: string): string => {
  const name = field(output, 'name');
  if (typeof name === 'string') return name;
  throw refuse(at, `expected "name" as a string, got ${describe(name)}`);
};

/** @throws CarpoolError INVALID_REQUEST */
export const outputIndex = (name: string, { outputs }: Signature, where: string): number => {
  const index = outputs.findIndex((spec) => spec.name === name);
  if (index !== -1) return index;
  const known = outputs.map((spec) => spec.name).join(', ');
  throw refuse(where, `expected one of ${known}; got ${quoted(name)}`);
};

/** What can be known to fail before anything has run. */
export const checkAsk = ({ name, index, binary, classes }: OutputAsk, { outputs }: Signature): void => {
  const dtype = outputs[index]?.dtype;
  if (dtype === 'string' && classes !== undefined)
    throw refuse(`outputs.${name}`, 'expected an output of numbers for parameters.classification, got BYTES');
  if (dtype === 'float16' && !binary && classes === undefined)
    throw refuse(`outputs.${name}`, 'FP16 has no JSON form; ask for it with parameters.binary_data: true');
};
