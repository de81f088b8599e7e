import type { InferRequest, TextUnit } from '../../infer.js';
import { describe, isList, isObject, quoted } from '../json/describe.js';
import { type Body, field, refuse } from '../own/fields.js';
import { describeInputs, tensorInput, type ParseView } from '../own/parse-inputs.js';
import { limitRows, looseBody } from '../common/loose.js';
import { textUnit } from '../huggingface/parse.js';
import type { Parsed } from '../parse.js';

/**
 * Body of `:predict`: `{"instances": [row, …]}`, a row being the value of the only input or `{name: value}`; or
 * `{"inputs": tensor | {name: tensor}}`. Models with a tokenizer take texts and `{"text", "text_pair"}` in their place.
 * `signature_name` and other keys are ignored.
 * @throws CarpoolError INVALID_REQUEST (naming tensor and row), PAYLOAD_TOO_LARGE (more than `view.maxRows` rows)
 */
export const parseKserve = (value: unknown, view: ParseView): Parsed => {
  const body = looseBody(value);
  const instances = field(body, 'instances');
  const inputs = field(body, 'inputs');
  if ((instances === undefined) === (inputs === undefined))
    throw refuse(
      'body',
      `expected "instances" or "inputs", got ${instances === undefined ? 'neither' : 'both'}`,
    );
  const columnar = instances === undefined;
  const input = columnar ? columnarInput(inputs, view) : rowInput(instances, view);
  return { request: { model: view.name, input, options: {} }, answer: { kind: 'kserve', columnar } };
};

const columnarInput = (inputs: unknown, view: ParseView): InferRequest['input'] => {
  if (view.takesTexts && isList(inputs) && isText(inputs[0], view)) return textsOf(inputs, 'inputs', view);
  return tensorInput(inputs, view);
};

const rowInput = (instances: unknown, view: ParseView): InferRequest['input'] => {
  if (!isList(instances)) throw refuse('instances', `expected a list of rows, got ${describe(instances)}`);
  limitRows(instances.length, 'instances', view.maxRows);
  if (view.takesTexts && isText(instances[0], view)) return textsOf(instances, 'instances', view);
  if (isObject(instances[0])) return tensorInput(columnsOf(instances, view), view);
  if (view.signature.inputs.length === 1) return tensorInput(instances, view);
  const texts = view.takesTexts ? ' or a text' : '';
  throw refuse(
    'instances[0]',
    `expected an object with ${describeInputs(view.signature)}${texts}; got ${describe(instances[0])}`,
  );
};

const isText = (value: unknown, { signature }: ParseView): boolean =>
  typeof value === 'string' ||
  (isObject(value) && Object.hasOwn(value, 'text') && !signature.inputs.some(({ name }) => name === 'text'));

const textsOf = (list: readonly unknown[], key: string, { maxRows }: ParseView): InferRequest['input'] => {
  limitRows(list.length, key, maxRows);
  const texts: TextUnit[] = list.map((unit, index) => textUnit(unit, `${key}[${index}]`));
  return { kind: 'texts', texts };
};

/** `[{a: 1, b: 2}, {a: 3, b: 4}]` -> `{a: [1, 3], b: [2, 4]}` */
const columnsOf = (instances: readonly unknown[], { signature }: ParseView): Body => {
  const names = signature.inputs.map(({ name }) => name);
  const rows = instances.map((row, index): Body => {
    if (!isObject(row))
      throw refuse(
        `instances[${index}]`,
        `expected an object with ${describeInputs(signature)}, got ${describe(row)}`,
      );
    for (const name of Object.keys(row))
      if (!names.includes(name))
        throw refuse(
          `instances[${index}]`,
          `unknown tensor ${quoted(name)}; expected ${describeInputs(signature)}`,
        );
    return row;
  });
  const columnOf = (name: string): unknown[] =>
    rows.map((row, index) => {
      const value = field(row, name);
      if (value === undefined) throw refuse(`instances[${index}]`, `missing tensor ${quoted(name)}`);
      return value;
    });
  return Object.fromEntries(names.map((name) => [name, columnOf(name)]));
};
