import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bytesElements, bytesOf, framed, OipClient, type OipInput } from '../support/oip-client.js';
import { startGateway, tempModelRoot, type Running, type TempFolder } from '../support/start-gateway.js';

let root: TempFolder;
let running: Running;
let client: OipClient;

beforeAll(async () => {
  root = await tempModelRoot();
  running = await startGateway({
    server: { maxRequestRows: 100, bodyLimitBytes: 1_000_000 },
    models: { root: root.path, load: ['spam', 'fraud_detector'] },
  });
  client = new OipClient(running.url);
  for (const name of ['multi_io', 'dtypes', 'string_io', 'dyn_tail', 'fixed_batch'])
    await running.client.load(name, `${name}.onnx`);
});
afterAll(async () => {
  client.close();
  await running.close();
  await root.remove();
});

const A: OipInput = { name: 'a', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] };
const B: OipInput = { name: 'b', shape: [1, 2], datatype: 'FP32', data: [1, 1] };
const FLOATS = bytesOf(Float32Array.of(1, 2, 3));

const refused = async (
  model: string,
  inputs: unknown,
  more: object = {},
): Promise<[number, string | undefined]> => {
  const { status, json } = await client.post(`/v2/models/${model}/infer`, { inputs, ...more });
  return [status, json.error];
};

describe('inputs', () => {
  it.each<[string, unknown, string]>([
    ['none', undefined, 'inputs: expected a list of tensors, got nothing'],
    ['an object', {}, 'inputs: expected a list of tensors, got an object'],
    ['a list of numbers', [1], 'inputs[0]: expected an object with name, shape, datatype; got number 1'],
    ['no name', [{ ...A, name: undefined }], 'inputs[0]: expected "name" as a string, got nothing'],
    [
      'no datatype',
      [{ ...A, datatype: undefined }],
      'inputs.a: expected "datatype" as a string, got nothing',
    ],
    [
      'no shape',
      [{ ...A, shape: undefined }],
      'inputs.a: expected "shape" as a list of integers, got nothing',
    ],
    ['one missing', [A], 'inputs: missing tensor "b"; expected a FP32 [-1,3], b FP32 [-1,2]'],
    [
      'one too many',
      [A, B, { ...B, name: 'c' }],
      'inputs: unknown tensor "c"; expected a FP32 [-1,3], b FP32 [-1,2]',
    ],
    ['one twice', [A, B, A], 'inputs: got tensor "a" twice'],
    ['another datatype', [{ ...A, datatype: 'FP64' }, B], 'inputs.a: expected datatype FP32, got FP64'],
    ['BF16', [{ ...A, datatype: 'BF16' }, B], 'inputs.a: BF16 is not supported; expected FP32'],
    ['no datatype at all', [{ ...A, datatype: 'float' }, B], 'inputs.a: expected datatype FP32, got "float"'],
    [
      'another rank',
      [{ ...A, shape: [3] }, B],
      'inputs.a: expected shape [-1,3], got [3]; axis 0 is the batch, for one row put 1 there',
    ],
    ['another length', [{ ...A, shape: [1, 4] }, B], 'inputs.a: expected shape [-1,3], got [1,4]'],
    [
      'a dimension of 0',
      [{ ...A, shape: [0, 3], data: [] }, B],
      'inputs.a: expected at least 1 on axis 0, got shape [0,3]',
    ],
    [
      'a negative dimension',
      [{ ...A, shape: [-1, 3] }, B],
      'inputs.a: expected an integer from 0 on as shape[0], got number -1',
    ],
    [
      'a broken dimension',
      [{ ...A, shape: [1.5, 3] }, B],
      'inputs.a: expected an integer from 0 on as shape[0], got number 1.5',
    ],
    [
      'a string for a dimension',
      [{ ...A, shape: ['1', 3] }, B],
      'inputs.a: expected an integer from 0 on as shape[0], got string "1"',
    ],
    [
      'too few elements',
      [{ ...A, data: [1, 2] }, B],
      'inputs.a: expected 3 elements in "data" for shape [1,3], got 2',
    ],
    ['too many lists', [{ ...A, data: [[1, 2, 3], [4, 5, 6]] }, B], 'inputs.a: expected 1 lists in "data" for shape [1,3], got 2'], // prettier-ignore
    ['a short row', [{ ...A, data: [[1, 2]] }, B], 'inputs.a.data[0]: expected 3 values, got 2'],
    [
      'a string',
      [{ ...A, data: [1, '2', 3] }, B],
      'inputs.a.data[1]: expected a float32 number, got string "2"',
    ],
    [
      'no data',
      [{ ...A, data: undefined }, B],
      'inputs.a: expected "data" or parameters.binary_data_size, got neither',
    ],
    [
      'rows that differ',
      [{ ...A, shape: [2, 3], data: [1, 2, 3, 4, 5, 6] }, B],
      'inputs.b: expected 2 rows as in inputs.a, got 1',
    ],
    [
      'shared memory',
      [{ ...A, parameters: { shared_memory_region: 'r' } }, B],
      'inputs.a: shared memory is not supported; send the data in the body',
    ],
  ])('%s', async (_name, inputs, message) => {
    expect(await refused('multi_io', inputs)).toEqual([400, message]);
  });

  it('too many rows for one request', async () => {
    const inputs = [{ ...A, shape: [101, 3], data: Array(303).fill(1) }];
    expect(await refused('multi_io', [...inputs, B])).toEqual([
      413,
      'inputs.a: expected at most 100 rows in a request, got 101',
    ]);
  });

  it('FP16 in JSON, in and out', async () => {
    const { json } = await client.get('/v2/models/dtypes');
    const specs = (json as unknown as { inputs: { name: string; datatype: string }[] }).inputs;
    const inputs = specs.map(({ name, datatype }) => ({
      ...{ name, datatype, shape: [1, 2] },
      data: datatype === 'BYTES' ? ['', ''] : datatype === 'BOOL' ? [true, false] : [1, 2],
    }));
    expect(await refused('dtypes', inputs)).toEqual([
      400,
      'outputs.f16_out: FP16 has no JSON form; ask for it with parameters.binary_data: true',
    ]);
    expect(await refused('dtypes', inputs, { parameters: { binary_data_output: true } })).toEqual([
      400,
      'inputs.f16: FP16 has no JSON form; send it as binary data',
    ]);
  });
});

describe('texts', () => {
  it.each<[string, OipInput[], string]>([
    [
      'beside other tensors',
      [{ name: 'text', shape: [1], datatype: 'BYTES', data: ['a'] }, A],
      'inputs: expected "text" alone, got 2 tensors',
    ],
    [
      'of numbers',
      [{ name: 'text', shape: [1], datatype: 'FP32', data: [1] }],
      'inputs.text: expected datatype BYTES, got FP32',
    ],
    [
      'in a table',
      [{ name: 'text', shape: [1, 2], datatype: 'BYTES', data: ['a', 'b'] }],
      'inputs.text: expected shape [-1] or [-1,1], got [1,2]',
    ],
    [
      'none',
      [{ name: 'text', shape: [0], datatype: 'BYTES', data: [] }],
      'inputs.text: expected at least one text, got none',
    ],
  ])('%s', async (_name, inputs, message) => {
    expect(await refused('spam', inputs)).toEqual([400, message]);
  });

  it('no UTF-8', async () => {
    const bytes = Buffer.from([2, 0, 0, 0, 0xc3, 0x28]);
    const { status, json } = await client.infer('spam', [
      { name: 'text', shape: [1], datatype: 'BYTES', bytes },
    ]);
    expect([status, json.error]).toEqual([400, 'inputs.text: element 0: expected UTF-8, got 2 other bytes']);
  });
});

describe('binary data', () => {
  const ask = async (model: string, inputs: OipInput[]): Promise<[number, string | undefined]> => {
    const { status, json } = await client.infer(model, inputs);
    return [status, json.error];
  };

  it.each<[string, OipInput[], string]>([
    [
      'too short',
      [{ ...A, data: undefined, bytes: FLOATS.subarray(0, 8) }, B],
      'inputs.a: expected 12 bytes for FP32 [1,3], got 8',
    ],
    [
      'too long',
      [{ ...A, data: undefined, bytes: Buffer.alloc(16) }, B],
      'inputs.a: expected 12 bytes for FP32 [1,3], got 16',
    ],
    [
      'with data too',
      [{ ...A, bytes: FLOATS }, B],
      'inputs.a: expected either "data" or parameters.binary_data_size, got both',
    ],
    [
      'that is not there',
      [{ ...A, data: undefined, bytes: FLOATS, parameters: { binary_data_size: 24 } }, B],
      'inputs.a: expected 24 bytes of binary data (parameters.binary_data_size), got 12',
    ],
    [
      'left over',
      [A, B, { ...B, name: 'x', data: undefined, bytes: FLOATS, parameters: { binary_data_size: 4 } }],
      'body: expected 4 bytes of binary data behind the JSON (the sum of binary_data_size), got 12',
    ],
    [
      'of a negative size',
      [{ ...A, data: undefined, bytes: FLOATS, parameters: { binary_data_size: -1 } }, B],
      'inputs.a: expected parameters.binary_data_size as an integer from 0 on, got number -1',
    ],
    [
      'of a huge size',
      [{ ...A, data: undefined, bytes: FLOATS, parameters: { binary_data_size: 2 ** 53 } }, B],
      'inputs.a: expected 9007199254740991 bytes of binary data (parameters.binary_data_size), got 12',
    ],
  ])('%s', async (_name, inputs, message) => {
    expect(await ask('multi_io', inputs)).toEqual([400, message]);
  });

  it.each<[string, Uint8Array, string]>([
    ['too few bytes', Buffer.alloc(3), 'inputs.s: expected at least 8 bytes for 2 BYTES elements, got 3'],
    [
      'too few elements',
      Buffer.concat([bytesElements(['abcd'])]),
      'inputs.s: expected 2 BYTES elements, got 1 in 8 bytes',
    ],
    [
      'too many elements',
      bytesElements(['a', 'b', 'c']),
      'inputs.s: expected 10 bytes for 2 BYTES elements, got 15',
    ],
    [
      'a huge length',
      Buffer.from([255, 255, 255, 255, 1, 2, 3, 4]),
      'inputs.s: element 0 says that it has 4294967295 bytes, got 4 behind its length',
    ],
  ])('BYTES with %s', async (_name, bytes, message) => {
    expect(await ask('string_io', [{ name: 's', shape: [2, 1], datatype: 'BYTES', bytes }])).toEqual([
      400,
      message,
    ]);
  });

  it.each([2 ** 31, 2 ** 53, Number.MAX_SAFE_INTEGER])('dimensions of %p are no allocation', async (dim) => {
    const [status, error] = await ask('dyn_tail', [
      { name: 'x', shape: [1, dim, 2], datatype: 'FP32', bytes: FLOATS },
    ]);
    expect(status).toBe(400);
    expect(error).toMatch(
      /^inputs\.x: (expected \d+ bytes|shape .* has more than 2\^53 elements|expected an integer)/,
    );
  });

  it.each([
    ['-1', 'Inference-Header-Content-Length: expected the number of JSON bytes, got string "-1"'],
    ['1e3', 'Inference-Header-Content-Length: expected the number of JSON bytes, got string "1e3"'],
    ['99999', 'Inference-Header-Content-Length: expected at most the 2 bytes of the body, got 99999'],
    ['1', 'body: broken JSON at line 1'],
  ])('a header of %s', async (value, message) => {
    const headers = { 'Inference-Header-Content-Length': value };
    const { status, json } = await client.post('/v2/models/multi_io/infer', '{}', headers);
    expect([status, json.error?.startsWith(message)]).toEqual([400, true]);
  });

  it.each([
    [
      'multi_io',
      FLOATS,
      'body: a raw body (Inference-Header-Content-Length: 0) needs a model with one input, multi_io has 2',
    ],
    ['fraud_detector', FLOATS, 'inputs.float_input: expected 120 bytes for FP32 [1,30], got 12'],
    ['dyn_tail', FLOATS, 'inputs.x: expected a multiple of 8 bytes for FP32 [1,-1,2], got 12'],
    ['string_io', Buffer.alloc(12, 0xff), 'inputs.s: expected UTF-8, got 12 other bytes'],
  ])('a raw body for %s', async (model, body, message) => {
    const headers = { 'Inference-Header-Content-Length': '0' };
    const { status, json } = await client.post(`/v2/models/${model}/infer`, body, headers);
    expect([status, json.error]).toEqual([400, message]);
  });
});

describe('outputs and parameters', () => {
  it.each<[string, object, string]>([
    ['an unknown output', { outputs: [{ name: 'x' }] }, 'outputs[0]: expected one of sum, scaled; got "x"'],
    ['an output twice', { outputs: [{ name: 'sum' }, { name: 'sum' }] }, 'outputs: got "sum" twice'],
    [
      'outputs by name alone',
      { outputs: ['sum'] },
      'outputs[0]: expected an object with a name, got string "sum"',
    ],
    ['no list of outputs', { outputs: 'sum' }, 'outputs: expected a list, got string "sum"'],
    [
      'a flag that is none',
      { parameters: { binary_data_output: 1 } },
      'request: expected parameters.binary_data_output as true or false, got number 1',
    ],
    [
      'a priority below 0',
      { parameters: { priority: -1 } },
      'request: expected parameters.priority as an integer from 0 on, got number -1',
    ],
    [
      'a timeout that is no number',
      { parameters: { timeout: '1' } },
      'request: expected parameters.timeout as an integer from 0 on, got string "1"',
    ],
    ['no parameters', { parameters: [] }, 'request: expected "parameters" as an object, got an empty list'],
    ['an id that is no string', { id: 7 }, 'id: expected a string, got number 7'],
    [
      'too many classes',
      { outputs: [{ name: 'sum', parameters: { classification: 10_001 } }] },
      'outputs.sum: expected parameters.classification of at most 10000, got 10001',
    ],
  ])('%s', async (_name, more, message) => {
    expect(await refused('multi_io', [A, B], more)).toEqual([400, message]);
  });

  it('classes of strings', async () => {
    const inputs = [{ name: 's', shape: [1, 1], datatype: 'BYTES', data: ['a'] }];
    const outputs = [{ name: 't', parameters: { classification: 1 } }];
    expect(await refused('string_io', inputs, { outputs })).toEqual([
      400,
      'outputs.t: expected an output of numbers for parameters.classification, got BYTES',
    ]);
  });

  it('a timeout is in microseconds: one of 1 µs is over at once', async () => {
    const [status, error] = await refused('multi_io', [A, B], { parameters: { timeout: 1 } });
    expect([429, 504]).toContain(status);
    expect(typeof error).toBe('string');
  });

  it('what is unknown, or large, is no reason to refuse', async () => {
    const parameters = { sequence_id: 0, priority: 1_000_000, timeout: 2 ** 53, anything: 'x' };
    const { body } = framed([A, B], { parameters, model_name: 'multi_io' });
    expect((await client.post('/v2/models/multi_io/infer', body)).status).toBe(200);
  });
});

describe('paths', () => {
  it.each([
    ['GET', '/v2/models/spm', 404, "no model 'spm'; did you mean 'spam'?"],
    ['GET', '/v2/models/spam/versions/7', 404, "model 'spam' has no version '7'; loaded: 1"],
    ['POST', '/v2/models/spm/infer', 404, "no model 'spm'; did you mean 'spam'?"],
    ['GET', '/v2/nothing', 404, 'there is no GET /v2/nothing'],
    ['POST', '/v2/systemsharedmemory/status', 404, 'there is no POST /v2/systemsharedmemory/status'],
    ['GET', '/v2/models/spam/infer', 405, 'expected POST, OPTIONS on /v2/models/spam/infer, got GET'],
    ['DELETE', '/v2', 405, 'expected GET, HEAD on /v2, got DELETE'],
    ['GET', '/v2/models/%zz', 400, "bad path: Failed to decode param '%zz'"],
  ])('%s %s', async (method, path, status, error) => {
    const reply = await client.send(method, path, undefined, {});
    expect(reply.status).toBe(status);
    expect(reply.json).toEqual({ error: expect.stringContaining(error.split(',')[0] ?? '') });
  });

  it('a body that is no JSON, or too large', async () => {
    const path = '/v2/models/multi_io/infer';
    expect((await client.post(path, '{"inputs": [')).json.error).toMatch(/^body: broken JSON/);
    expect((await client.post(path)).json.error).toBe('no body; expected a JSON object');
    expect((await client.post(path, '[]')).json.error).toBe(
      'body: expected an object with "inputs", got an empty list',
    );
    const { status, json } = await client.post(path, Buffer.alloc(1_000_001));
    expect([status, json.error]).toEqual([
      413,
      'expected a body of at most 1000000 bytes, got Content-Length 1000001 bytes',
    ]);
  });
});
