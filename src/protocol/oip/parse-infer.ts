import type { Parsed } from '../parse.js';
import { describe, isList, isObject } from '../json/describe.js';
import { parseJson } from '../json/parse-json.js';
import { field, refuse, type Body } from '../own/fields.js';
import type { ParseView } from '../own/parse.js';
import { BinaryTail } from './binary-tail.js';
import { tensorOfBytes } from './binary-tensor.js';
import { tensorOfData } from './json-tensor.js';
import { optionalFlag, optionalInteger, optionsOf, parametersOf } from './parameters.js';
import { outputAsks } from './parse-outputs.js';
import { parseRaw } from './parse-raw.js';
import { readShape } from './shape.js';
import { inputOf, type Source } from './sources.js';

/** Body of `POST /v2/models/M/infer`. Plain data. */
export interface OipBody {
  readonly bytes: Uint8Array;
  /** Value of Inference-Header-Content-Length: bytes of JSON at the front; 0 = none, the body is one raw tensor. */
  readonly jsonBytes?: number;
  readonly view: ParseView;
}

/** @throws CarpoolError INVALID_REQUEST (naming the tensor), PAYLOAD_TOO_LARGE (more than `view.maxRows` rows) */
export const parseOip = ({ bytes, jsonBytes: given, view }: OipBody): Parsed => {
  if (given === 0) return parseRaw(bytes, view);
  const jsonBytes = given ?? bytes.byteLength;
  if (jsonBytes > bytes.byteLength)
    throw refuse(
      'Inference-Header-Content-Length',
      `expected at most the ${bytes.byteLength} bytes of the body, got ${jsonBytes}`,
    );
  const body = parseJson(bytes.subarray(0, jsonBytes));
  if (!isObject(body)) throw refuse('body', `expected an object with "inputs", got ${describe(body)}`);
  const tail = new BinaryTail(bytes.subarray(jsonBytes));
  const sources = sourcesOf(body, tail);
  tail.end();
  const parameters = parametersOf(body, 'request');
  const binaryByDefault = optionalFlag(parameters, 'binary_data_output', 'request') ?? false;
  const id = idOf(body);
  const outputs = outputAsks(field(body, 'outputs'), view.signature, binaryByDefault);
  const input = inputOf(sources, view);
  return {
    request: { model: view.name, input, options: optionsOf(parameters) },
    answer: { kind: 'oip', outputs, ...(id === undefined ? {} : { id }) },
  };
};

const idOf = (body: Body): string | undefined => {
  const id = field(body, 'id');
  if (id === undefined || id === null) return undefined;
  if (typeof id === 'string') return id;
  throw refuse('id', `expected a string, got ${describe(id)}`);
};

const sourcesOf = (body: Body, tail: BinaryTail): Source[] => {
  const inputs = field(body, 'inputs');
  if (!isList(inputs)) throw refuse('inputs', `expected a list of tensors, got ${describe(inputs)}`);
  return inputs.map((input, at) => sourceOf(input, `inputs[${at}]`, tail));
};

const sourceOf = (input: unknown, at: string, tail: BinaryTail): Source => {
  if (!isObject(input))
    throw refuse(at, `expected an object with name, shape, datatype; got ${describe(input)}`);
  const name = textOf(input, 'name', at);
  const where = `inputs.${name.slice(0, 128)}`;
  const datatype = textOf(input, 'datatype', where);
  const dims = readShape(field(input, 'shape'), where);
  const parameters = parametersOf(input, where);
  const size = optionalInteger(parameters, 'binary_data_size', 0, where);
  const data = field(input, 'data');
  if (size === undefined)
    return { name, datatype, dims, read: (spec, shape, place) => tensorOfData(data, spec, shape, place) };
  if (data !== undefined)
    throw refuse(where, 'expected either "data" or parameters.binary_data_size, got both');
  const bytes = tail.take(size, where);
  return { name, datatype, dims, read: (spec, shape, place) => tensorOfBytes(bytes, spec, shape, place) };
};

const textOf = (input: Body, key: string, where: string): string => {
  const value = field(input, key);
  if (typeof value === 'string') return value;
  throw refuse(where, `expected "${key}" as a string, got ${describe(value)}`);
};
