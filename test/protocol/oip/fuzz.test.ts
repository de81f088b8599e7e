import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { codeOf, ERROR_TABLE } from '../../../src/errors.js';
import { parseOip, type OipBody } from '../../../src/protocol/oip/parse-infer.js';
import type { ParseView } from '../../../src/protocol/own/parse.js';
import { bytesPerElement, DTYPES, elementCount, type TensorSpec } from '../../../src/tensor.js';
import { datatypeOf } from '../../../src/protocol/oip/datatypes.js';
import { bytesElements } from '../../support/oip-client.js';
import { spec } from '../support.js';

const DATATYPES = ['FP32', 'FP16', 'INT64', 'BOOL', 'BYTES', 'BF16', 'fp32', ''];
const MAX_ROWS = 2;

const dim = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(1, 2, 3) },
  fc.constantFrom(0, -1, 4, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 53 - 1, 1e30, 1.5, null, '1', true),
);
const size = fc.oneof(
  { weight: 3, arbitrary: fc.nat(24) },
  fc.constantFrom(-1, 2 ** 31, 2 ** 53, 1e30, 0.5, '4', null),
);
const leaf = fc.constantFrom(0, 1, -1, 2 ** 40, 1e39, 0.5, true, '', 'a', null, '\ud800');
const data = fc.oneof(
  fc.array(leaf, { maxLength: 6 }),
  fc.array(fc.oneof(leaf, fc.array(leaf, { maxLength: 3 })), { maxLength: 4 }),
  leaf,
);
const parameters = fc.option(
  fc.oneof(
    fc.record({ binary_data_size: size }, { requiredKeys: [] }),
    fc.constantFrom([], 1, { shared_memory_region: 1 }),
  ),
  { nil: undefined },
);
const input = fc.oneof(
  { weight: 6, arbitrary: fc.record(
    {
      name: fc.constantFrom('x', 'y', 'text', 'TEXT', '__proto__'),
      shape: fc.oneof({ weight: 8, arbitrary: fc.array(dim, { maxLength: 3 }) }, fc.constant(null)),
      datatype: fc.constantFrom(...DATATYPES),
      data,
      parameters,
    },
    { requiredKeys: ['name', 'shape', 'datatype'] },
  ) },
  fc.jsonValue(),
); // prettier-ignore
const output = fc.oneof(
  fc.record(
    {
      name: fc.constantFrom('y', 'z', '__proto__'),
      parameters: fc.record({ binary_data: fc.constantFrom(true, 1), classification: fc.constantFrom(0, 2, -1, 1e9) }, { requiredKeys: [] }),
    },
    { requiredKeys: ['name'] },
  ),
  fc.jsonValue(),
); // prettier-ignore
const body = fc.oneof(
  { weight: 9, arbitrary: fc.record(
    {
      id: fc.constantFrom('a', 1),
      parameters: fc.constantFrom({ binary_data_output: true }, { priority: 1, timeout: 7 }, { timeout: -1 }, []),
      inputs: fc.oneof({ weight: 9, arbitrary: fc.array(input, { maxLength: 3 }) }, fc.constant(7)),
      outputs: fc.oneof(fc.array(output, { maxLength: 2 }), fc.constant(7)),
    },
    { requiredKeys: ['inputs'] },
  ) },
  fc.jsonValue(),
); // prettier-ignore

const shape = fc.array(fc.constantFrom('N', 1, 2), { maxLength: 3 });
const inputSpecs = fc.uniqueArray(
  fc.tuple(fc.constantFrom('x', 'y', 'text', '__proto__'), fc.constantFrom(...DTYPES), shape),
  { maxLength: 2, selector: ([name]) => name },
);
const views: fc.Arbitrary<ParseView> = fc.record({
  name: fc.constant('m'),
  signature: fc.record({
    inputs: inputSpecs.map((specs) => specs.map(([name, dtype, dims]) => spec(name, dtype, dims))),
    outputs: fc.constantFrom(
      [spec('y', 'float32', ['N']), spec('z', 'string', ['N'])],
      [spec('y', 'float16', ['N'])],
    ),
  }),
  takesTexts: fc.boolean(),
  maxRows: fc.constant(MAX_ROWS),
  batch: fc.constantFrom({ mode: 'dynamic' as const }, { mode: 'single' as const }),
});

/** Exactly what the model takes: as many rows as asked for, ones of its datatype, in JSON or as bytes. */
const rightInput = (
  { name, dtype, shape: dims }: TensorSpec,
  rows: number,
  isBinary: boolean,
): RightInput => {
  const own = dims.map((each, axis) => (typeof each === 'number' ? each : axis === 0 ? rows : 2));
  const count = elementCount(own);
  const element = dtype === 'string' ? 'a' : 1;
  const bytes = dtype === 'string' ? bytesElements(Array<string>(count).fill('a')) : Buffer.alloc(count * bytesPerElement(dtype), 1); // prettier-ignore
  const head = { name, datatype: datatypeOf(dtype), shape: own };
  return isBinary
    ? { input: { ...head, parameters: { binary_data_size: bytes.byteLength } }, bytes }
    : { input: { ...head, data: Array(count).fill(element) }, bytes: Buffer.alloc(0) };
};

interface RightInput {
  readonly input: Readonly<Record<string, unknown>>;
  readonly bytes: Buffer;
}

/** Right but for what `flaws` says, if anything; bodies may be cut, or longer than they say. */
const nearlyRight: fc.Arbitrary<OipBody> = views.chain((view) =>
  fc
    .tuple(
      fc.integer({ min: 1, max: MAX_ROWS + 1 }),
      fc.boolean(),
      fc.option(fc.tuple(fc.constantFrom('shape', 'datatype', 'data', 'name'), fc.oneof(dim, fc.array(dim))), { nil: undefined, freq: 3 }),
      fc.option(fc.integer({ min: -9, max: 9 }), { nil: undefined, freq: 3 }),
      fc.boolean(),
    )
    .map(([rows, isBinary, flaw, lie, asText]) => {
      const specs = view.takesTexts && asText ? [spec('text', 'string', ['N'])] : view.signature.inputs;
      const inputs = specs.map((each) => rightInput(each, rows, isBinary));
      const described = inputs.map(({ input: each }, at) => (at === 0 && flaw !== undefined ? { ...each, [flaw[0]]: flaw[1] } : each));
      const json = Buffer.from(JSON.stringify({ inputs: described, parameters: { binary_data_output: true } }));
      const bytes = Buffer.concat([json, ...inputs.map((each) => each.bytes)]);
      if (lie === undefined) return { bytes, view, jsonBytes: json.byteLength };
      const cut = lie < 0 ? bytes.subarray(0, lie) : Buffer.concat([bytes, Buffer.alloc(lie)]);
      return { bytes: cut, view, jsonBytes: json.byteLength };
    }),
); // prettier-ignore

/** A body that may be cut, or have anything behind its JSON, under a header that may lie. */
const wild: fc.Arbitrary<OipBody> = fc
  .tuple(body, fc.uint8Array({ maxLength: 32 }), fc.option(fc.integer({ min: -2, max: 40 }), { nil: undefined, freq: 4 }), fc.boolean(), views)
  .map(([value, tail, lie, framed, view]) => {
    const json = Buffer.from(JSON.stringify(value));
    const bytes = Buffer.concat(framed || lie !== undefined ? [json, tail] : [json]);
    if (lie === undefined) return { bytes, view, ...(framed ? { jsonBytes: json.byteLength } : {}) };
    return { bytes, view, jsonBytes: Math.max(0, lie < 0 ? json.byteLength + lie : lie) };
  }); // prettier-ignore

/** The code it was refused with, or what came of it. */
const outcome = (input: OipBody): string => {
  try {
    const { request } = parseOip(input);
    if (request.input.kind !== 'tensors') return request.input.kind;
    for (const { dims, data: elements } of request.input.tensors)
      expect(elements.length).toBe(elementCount(dims));
    return 'tensors';
  } catch (error) {
    const code = codeOf(error);
    const { http } = ERROR_TABLE[code];
    if (http < 400 || http >= 500) throw error;
    return code;
  }
};

describe('whatever is posted', () => {
  it('is parsed or refused with a 4xx, never anything else', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        fc.oneof(wild, { weight: 3, arbitrary: nearlyRight }),
        (input) => void seen.add(outcome(input)),
      ),
      { numRuns: 6000 },
    );
    expect([...seen].sort()).toEqual(['INVALID_REQUEST', 'PAYLOAD_TOO_LARGE', 'tensors', 'texts']);
  });

  it('gives binary tensors whatever they hold, when sizes and shapes are right', () => {
    const numbers = DTYPES.filter((dtype) => dtype !== 'string');
    fc.assert(
      fc.property(
        fc.constantFrom(...numbers),
        fc.integer({ min: 1, max: MAX_ROWS }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: -1, max: 1 }),
        fc.nat(7),
        (dtype, rows, columns, off, lead) => {
          const signature = {
            inputs: [spec('x', dtype, ['N', '?'])],
            outputs: [spec('y', 'float32', ['N'])],
          };
          const view: ParseView = { name: 'm', signature, takesTexts: false, maxRows: MAX_ROWS };
          const datatype = datatypeOf(dtype);
          const bytes = rows * columns * bytesPerElement(dtype) + off;
          const inputs = [
            { name: 'x', shape: [rows, columns], datatype, parameters: { binary_data_size: bytes } },
          ];
          const json = Buffer.from(JSON.stringify({ id: 'x'.repeat(lead), inputs }));
          const tail = Buffer.from(Array.from({ length: bytes }, (_, i) => i % 2));
          const result = outcome({ bytes: Buffer.concat([json, tail]), jsonBytes: json.byteLength, view });
          expect(result).toBe(off === 0 ? 'tensors' : 'INVALID_REQUEST');
        },
      ),
      { numRuns: 500 },
    );
  });
});
