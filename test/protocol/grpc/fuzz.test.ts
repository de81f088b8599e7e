import { status } from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFile } from 'node:fs/promises';
import { codeOf, ERROR_TABLE } from '../../../src/errors.js';
import { GRPC_STATUS } from '../../../src/protocol/grpc/status.js';
import type { InferTensorContents, ModelInferRequest } from '../../../src/protocol/grpc/messages.js';
import { parseInferRequest } from '../../../src/protocol/grpc/parse-infer.js';
import { datatypeOf } from '../../../src/protocol/oip/datatypes.js';
import type { ParseView } from '../../../src/protocol/own/parse.js';
import { bytesPerElement, DTYPES, elementCount } from '../../../src/tensor.js';
import { bytesElements } from '../../support/oip-client.js';
import { spec } from '../support.js';

const EMPTY: InferTensorContents = {
  ...{ bool_contents: [], int_contents: [], int64_contents: [], uint_contents: [] },
  ...{ uint64_contents: [], fp32_contents: [], fp64_contents: [], bytes_contents: [] },
};

const dim = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('1', '2') },
  fc.constantFrom('0', '-1', '4', '2147483648', '9007199254740993', '9223372036854775807'),
);
const integer = fc.integer({ min: -300, max: 300 });
const contents: fc.Arbitrary<InferTensorContents> = fc
  .record(
    {
      bool_contents: fc.array(fc.boolean(), { maxLength: 4 }),
      int_contents: fc.array(integer, { maxLength: 4 }),
      int64_contents: fc.array(fc.constantFrom('1', '-9223372036854775808'), { maxLength: 4 }),
      uint_contents: fc.array(fc.nat(300), { maxLength: 4 }),
      uint64_contents: fc.array(fc.constantFrom('1', '18446744073709551615'), { maxLength: 4 }),
      fp32_contents: fc.array(fc.float(), { maxLength: 4 }),
      fp64_contents: fc.array(fc.double(), { maxLength: 4 }),
      bytes_contents: fc.array(fc.uint8Array({ maxLength: 3 }), { maxLength: 4 }),
    },
    { requiredKeys: [] },
  )
  .map((some) => ({ ...EMPTY, ...some }));
const parameters = fc.dictionary(
  fc.constantFrom(
    'priority',
    'timeout',
    'binary_data_output',
    'classification',
    'shared_memory_region',
    '__proto__',
  ),
  fc.constantFrom(
    { bool_param: false },
    { int64_param: '3' },
    { int64_param: '-9223372036854775808' },
    { uint64_param: '18446744073709551615' },
    { double_param: NaN },
    { string_param: 'x' },
    {},
  ),
  { maxKeys: 1 },
);
const tensor = fc.record({
  name: fc.constantFrom('x', 'x', 'y', 'text', '__proto__'),
  datatype: fc.constantFrom(...DTYPES.map(datatypeOf), 'BF16', ''),
  shape: fc.array(dim, { maxLength: 3 }),
  parameters: fc.oneof({ weight: 5, arbitrary: fc.constant({}) }, parameters),
  contents: fc.option(contents),
});
const message: fc.Arbitrary<ModelInferRequest> = fc.record({
  ...{ model_name: fc.constant('m'), model_version: fc.constant(''), id: fc.constantFrom('', 'a') },
  parameters: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, parameters),
  inputs: fc.array(tensor, { maxLength: 2 }),
  outputs: fc.array(fc.record({ name: fc.constantFrom('y', 'z'), parameters }), { maxLength: 1 }),
  raw_input_contents: fc.array(fc.uint8Array({ maxLength: 16 }), { maxLength: 2 }),
});
/** The datatype of the first input is the model's, so that more than names is looked at. */
const asked = fc.tuple(message, fc.boolean()).map(([request, takesTexts]) => {
  const dtype = DTYPES.find((each) => datatypeOf(each) === request.inputs[0]?.datatype) ?? 'float32';
  const shape = request.inputs[0]?.shape.map((_, axis) => (axis === 0 ? 'N' : '?')) ?? ['N'];
  const signature = { inputs: [spec('x', dtype, shape)], outputs: [spec('y', 'float32', ['N'])] };
  const view: ParseView = { name: 'm', signature, takesTexts, maxRows: 1 };
  return { request, view };
});

const ONES: InferTensorContents = {
  ...{ bool_contents: [true], int_contents: [1], int64_contents: ['1'], uint_contents: [1] },
  ...{ uint64_contents: ['1'], fp32_contents: [1], fp64_contents: [1], bytes_contents: [Buffer.from('a')] },
};

/** One or two elements in the right form, raw or typed, under names that a text model knows too. */
const right = fc
  .record({
    dtype: fc.constantFrom(...DTYPES),
    rows: fc.constantFrom(1, 2),
    isRaw: fc.boolean(),
    isText: fc.boolean(),
    cut: fc.constantFrom(0, 0, 0, 1),
  })
  .map(({ dtype, rows, isRaw, isText, cut }) => {
    const of = isText ? 'string' : dtype;
    const elements: object = Object.fromEntries(
      Object.entries(ONES).map(([field, [one]]) => [field, Array<unknown>(rows - cut).fill(one)]),
    );
    const raw =
      of === 'string'
        ? bytesElements(Array<string>(rows).fill('a'))
        : Buffer.alloc(rows * bytesPerElement(of), 1);
    const input = {
      name: isText ? 'text' : 'x',
      datatype: datatypeOf(of),
      shape: [`${rows}`],
      parameters: {},
    };
    const request: ModelInferRequest = {
      ...{ model_name: 'm', model_version: '', id: '', parameters: {}, outputs: [] },
      inputs: [{ ...input, contents: isRaw ? null : { ...EMPTY, ...elements } }],
      raw_input_contents: isRaw ? [raw.subarray(cut)] : [],
    };
    const signature = { inputs: [spec('x', dtype, ['N'])], outputs: [spec('y', 'float32', ['N'])] };
    const view: ParseView = { name: 'm', signature, takesTexts: isText, maxRows: 1 };
    return { request, view };
  });

const outcome = (request: ModelInferRequest, view: ParseView): string => {
  try {
    const { input } = parseInferRequest(request, view).request;
    if (input.kind === 'tensors')
      for (const { dims, data } of input.tensors) expect(data.length).toBe(elementCount(dims));
    return input.kind;
  } catch (error) {
    const code = codeOf(error);
    const { http } = ERROR_TABLE[code];
    if (http < 400 || http >= 500) throw error;
    return code;
  }
};

describe('whatever is sent', () => {
  it('is taken or refused, never anything else', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.oneof(asked, right), ({ request, view }) => void seen.add(outcome(request, view))),
      { numRuns: 4000 },
    );
    expect([...seen].sort()).toEqual(['INVALID_REQUEST', 'PAYLOAD_TOO_LARGE', 'tensors', 'texts']);
  });
});

describe('statuses', () => {
  it('are those of docs/protocols.md', async () => {
    const page = await readFile(new URL('../../../../docs/protocols.md', import.meta.url), 'utf8');
    const documented = [...page.matchAll(/^\| (`[A-Z_`, ]+`) \| ([A-Z_]+) \|$/gm)].flatMap(
      ([, codes = '', name]) => [...codes.matchAll(/`(\w+)`/g)].map(([, code]) => [code, name]),
    );
    const table = Object.entries(GRPC_STATUS).map(([code, value]) => [code, status[value]]);
    expect(documented.sort()).toEqual(table.sort());
  });

  it('tell a client to come again exactly where our own table does, and nothing is OK', () => {
    const again = [8, 14, 4];
    for (const [code, value] of Object.entries(GRPC_STATUS)) {
      expect(value).toBeGreaterThan(0);
      const { retryable } = ERROR_TABLE[code as keyof typeof ERROR_TABLE];
      expect([code, again.includes(value)]).toEqual([code, retryable]);
    }
  });
});
