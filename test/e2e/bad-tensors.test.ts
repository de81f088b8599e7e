import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startGateway, tempModelRoot, type Running, type TempFolder } from '../support/start-gateway.js';
import { FRAUD_CASES } from './golden.js';
import { expectRefused, invalid, tooLarge } from './refusals.js';

const MAX_ROWS = 100;

let root: TempFolder;
let running: Running;

beforeAll(async () => {
  root = await tempModelRoot();
  running = await startGateway({
    server: { maxRequestRows: MAX_ROWS },
    models: { root: root.path, load: ['spam', 'fraud_detector'] },
  });
  for (const name of ['multi_io', 'dtypes']) await running.client.load(name, `${name}.onnx`);
});
afterAll(async () => {
  await running.close();
  await root.remove();
});

/** `body` as it is when it is text, else as `inputs`. */
const refuse = async (model: string, body: unknown, message: string): Promise<void> => {
  const path = `/v1/models/${model}/infer`;
  const whole = typeof body === 'string' ? body : { inputs: body };
  await expectRefused(running.client, invalid(message, { path, body: whole }));
};

const ROW: readonly number[] = FRAUD_CASES[0]!.input;
const withThird = (value: unknown): unknown[] => (ROW as readonly unknown[]).with(3, value);
const asText = (third: string): string =>
  `{"inputs":[[${ROW.map((value, i) => (i === 3 ? third : value)).join(',')}]]}`;
const SPEC = 'float_input float32 [N,30]';

describe('rows', () => {
  it.each<[string, unknown, string]>([
    [
      '29 of 30 features',
      [ROW, ROW.slice(0, 29)],
      'inputs.float_input[1]: expected 30 values, got 29; the first one missing is "Amount"',
    ],
    ['31 of 30 features', [[...ROW, 1]], 'inputs.float_input[0]: expected 30 values, got 31'],
    ['NaN', asText('NaN'), 'JSON has no NaN and no Infinity'],
    ['Infinity', asText('Infinity'), 'JSON has no NaN and no Infinity'],
    ['-Infinity', asText('-Infinity'), 'body: broken JSON at line 1'],
    ['1e999', asText('1e999'), 'inputs.float_input[0][3]: number Infinity is out of range for float32'],
    ['1e39', [withThird(1e39)], 'inputs.float_input[0][3]: number 1e+39 is out of range for float32'],
    ['"1.5"', [withThird('1.5')], 'inputs.float_input[0][3]: expected a float32 number, got string "1.5"'],
    [
      '"NaN"',
      [ROW, withThird('NaN')],
      'inputs.float_input[1][3]: expected a float32 number, got string "NaN"',
    ],
    ['null', [withThird(null)], 'inputs.float_input[0][3]: expected a float32 number, got null'],
    ['true', [withThird(true)], 'inputs.float_input[0][3]: expected a float32 number, got true'],
    [
      'a list among numbers',
      [withThird([1])],
      'inputs.float_input[0][3]: expected a float32 number, got a list',
    ],
    ['a number among rows', [ROW, 7], 'inputs.float_input[1]: expected a list of 30 values, got number 7'],
    [
      'no outer list',
      ROW,
      'inputs.float_input: expected rank 2 [N,30], got rank 1 [30]; to send one row, put it',
    ],
    ['one list too many', [[ROW]], 'inputs.float_input: expected rank 2 [N,30], got rank 3 [1,1,30]'],
    ['no list', 7, 'inputs.float_input: expected rank 2 [N,30], got number 7'],
    ['none', [], 'inputs.float_input: expected at least one row, got an empty list'],
    ['an empty one', [[]], 'inputs.float_input[0]: expected at least one value, got an empty list'],
    ['ragged', [ROW, ROW.slice(1), [...ROW, 1]], 'inputs.float_input[1]: expected 30 values, got 29'],
  ])('%s', async (_what, body, message) => {
    await refuse('fraud_detector', body, message);
  });

  it('too many', async () => {
    const path = '/v1/models/fraud_detector/infer';
    const body = { inputs: Array.from({ length: MAX_ROWS + 1 }, () => ROW) };
    const message = 'inputs.float_input: expected at most 100 rows in a request, got 101';
    await expectRefused(running.client, tooLarge(message, { path, body }));
  });
});

describe('tensors', () => {
  const [a, b, twoRows] = [[[1, 2, 3]], [[1, 2]], [[1, 2], [3, 4]]]; // prettier-ignore

  it.each<[string, string, unknown, string]>([
    ['unknown', 'fraud_detector', { float_inputs: [ROW] }, `unknown tensor "float_inputs"; expected ${SPEC}`],
    ['__proto__', 'fraud_detector', '{"inputs":{"__proto__":[[1]]}}', 'unknown tensor "__proto__"'],
    ['none', 'fraud_detector', {}, 'inputs: missing tensor "float_input", float32 [N,30]'],
    ['one missing', 'multi_io', { a }, 'inputs: missing tensor "b", float32 [N,2]'],
    [
      'one too many',
      'multi_io',
      { a, b, c: b },
      'unknown tensor "c"; expected a float32 [N,3], b float32 [N,2]',
    ],
    ['of different rows', 'multi_io', { a, b: twoRows }, 'inputs.b: expected 1 rows as in inputs.a, got 2'],
    [
      'not named',
      'multi_io',
      a,
      'inputs: expected an object with a float32 [N,3], b float32 [N,2], got a list',
    ],
    [
      'texts instead',
      'fraud_detector',
      '{"texts":["a"]}',
      'fraud_detector takes no texts; expected "inputs"',
    ],
    ['neither', 'spam', '{}', 'body: expected "texts" or "inputs", got neither'],
    ['both', 'spam', '{"texts":["a"],"inputs":{}}', 'body: expected "texts" or "inputs", got both'],
    [
      'for an unknown output',
      'multi_io',
      '{"inputs":{},"outputs":["sums"]}',
      'outputs[0]: expected one of sum, scaled; got "sums"',
    ],
  ])('%s', async (_what, model, body, message) => {
    await refuse(model, body, message);
  });
});

describe('elements', () => {
  const NAMES = ['f32', 'f64', 'f16', 'i8', 'i16', 'i32', 'i64', 'u8', 'u16', 'u32', 'u64', 'b', 's'];

  it.each([
    ['i8', '128', 'number 128 is out of range for int8 (-128 to 127)'],
    ['u8', '-1', 'number -1 is out of range for uint8 (0 to 255)'],
    ['i32', '1.5', 'expected an integer (int32), got number 1.5'],
    ['i64', '9223372036854775808', 'number 9223372036854775808 is out of range for int64'],
    ['u64', '-1', 'number -1 is out of range for uint64'],
    ['f16', '1e6', 'number 1000000 is out of range for float16'],
    ['b', '2', 'expected true or false (or 1 or 0), got number 2'],
    ['s', '1', 'expected a string, got number 1'],
  ])('of %s: %s', async (name, value, message) => {
    const good = (key: string): string => (key === 's' ? '["x","y"]' : '[0,1]');
    const bad = name === 's' ? `[${value},"y"]` : `[${value},1]`;
    const members = NAMES.map((key) => `"${key}":[${key === name ? bad : good(key)}]`);
    await refuse('dtypes', `{"inputs":{${members.join(',')}}}`, `inputs.${name}[0][0]: ${message}`);
  });
});

it('was never our own fault', async () => {
  expect((await running.client.get('/metrics')).text).not.toMatch(/status="5/);
});
