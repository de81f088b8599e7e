import type { TextUnit } from '../../infer.js';
import { describe, isList, isObject } from '../json/describe.js';
import { field, refuse } from '../own/fields.js';
import { emptyError, limitRows } from '../common/loose.js';

/** Is a body of `POST /predict` TEI's? Ours has `texts` (or `pairs`). */
export const isTeiPredict = (body: unknown): boolean =>
  isObject(body) &&
  field(body, 'inputs') !== undefined &&
  field(body, 'texts') === undefined &&
  field(body, 'pairs') === undefined;

/**
 * `inputs` of `/predict`:
 *
 *   "a"                      one text        ["a"]                    one text
 *   ["a", "b"]               ONE PAIR        [["a"], ["b", "c"]]      a text and a pair
 *
 * @throws CarpoolError INVALID_REQUEST, PAYLOAD_TOO_LARGE
 */
export const predictUnits = (
  inputs: unknown,
  maxRows: number,
): { readonly units: readonly TextUnit[]; readonly single: boolean } => {
  if (typeof inputs === 'string') return { units: [inputs], single: true };
  if (!isList(inputs))
    throw refuse(
      'inputs',
      `expected a string, a pair of strings or a batch of these, got ${describe(inputs)}`,
    );
  if (!isList(inputs[0])) return { units: [unitOf(inputs, 'inputs')], single: true };
  limitRows(inputs.length, 'inputs', maxRows);
  return { units: inputs.map((unit, index) => unitOf(unit, `inputs[${index}]`)), single: false };
};

const unitOf = (value: unknown, where: string): TextUnit => {
  if (isList(value)) {
    const [first, second] = value;
    if (value.length === 0) throw emptyError(where);
    if (value.length === 1 && typeof first === 'string') return first;
    if (value.length === 2 && typeof first === 'string' && typeof second === 'string') return [first, second];
  }
  const hint = where === 'inputs' ? '; a batch is a list of lists' : '';
  throw refuse(where, `expected a list of one or two strings, got ${describe(value)}${hint}`);
};
