import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GrpcClient, type GrpcReply } from '../support/grpc-client.js';
import { bytesElements, bytesOf, floatsOf, OipClient } from '../support/oip-client.js';
import {
  startGateway,
  tempModelRoot,
  until,
  type Running,
  type TempFolder,
} from '../support/start-gateway.js';
import { FRAUD_CASES, SPAM_CASES } from './golden.js';

let root: TempFolder;
let running: Running;
let client: GrpcClient;
let http: OipClient;

beforeAll(async () => {
  root = await tempModelRoot();
  running = await startGateway({
    // The rows for `slow` are all alike.
    batching: { singleFlight: false },
    grpc: { enabled: true, port: 0 },
    server: { maxRequestRows: 200 },
    models: { root: root.path, load: ['spam', 'fraud_detector'] },
  });
  client = new GrpcClient(running.grpc!);
  http = new OipClient(running.url);
  for (const name of ['dtypes', 'multi_io', 'poison', 'slow'])
    await running.client.load(name, `${name}.onnx`);
});
afterAll(async () => {
  client.close();
  http.close();
  await running.close();
  await root.remove();
});

const ROWS = FRAUD_CASES.map(({ input }) => input);
const PROBABILITIES = FRAUD_CASES.flatMap(({ probabilities }) => probabilities);
const offBy = (got: readonly unknown[] | undefined, expected: readonly number[]): number => {
  if (got?.length !== expected.length) return Infinity;
  return Math.max(...expected.map((value, i) => Math.abs(Number(got[i]) - value)));
};
const fraud = { name: 'float_input', datatype: 'FP32', shape: [ROWS.length, 30] };

describe('golden answers', () => {
  it('fraud_detector, raw', async () => {
    const { code, value } = await client.infer({
      ...{ model_name: 'fraud_detector', id: 'a1', inputs: [fraud] },
      raw_input_contents: [bytesOf(Float32Array.from(ROWS.flat()))],
    });
    expect([code, value.id, value.model_name]).toEqual([0, 'a1', 'fraud_detector']);
    expect(
      value.outputs?.map(({ name, datatype, shape, contents }) => [name, datatype, shape, contents]),
    ).toEqual([
      ['label', 'INT64', [`${ROWS.length}`], null],
      ['probabilities', 'FP32', [`${ROWS.length}`, '2'], null],
    ]);
    const [labels, probabilities] = value.raw_output_contents ?? [];
    expect(ROWS.map((_, i) => Number(labels?.readBigInt64LE(8 * i)))).toEqual(
      FRAUD_CASES.map(({ label }) => label),
    );
    expect(offBy(floatsOf(probabilities!), PROBABILITIES)).toBeLessThan(1e-4);
  });

  it('fraud_detector, typed in and out', async () => {
    const { value } = await client.infer({
      model_name: 'fraud_detector',
      inputs: [{ ...fraud, contents: { fp32_contents: ROWS.flat() } }],
      outputs: [{ name: 'probabilities' }],
      parameters: { binary_data_output: { bool_param: false } },
    });
    expect(value.raw_output_contents).toEqual([]);
    expect(offBy(value.outputs?.[0]?.contents?.['fp32_contents'], PROBABILITIES)).toBeLessThan(1e-4);
  });

  it.each(['raw', 'typed'])('spam, texts %s', async (form) => {
    const texts = SPAM_CASES.map(({ text }) => text);
    const input = { name: 'text', datatype: 'BYTES', shape: [texts.length] };
    const request =
      form === 'raw'
        ? { inputs: [input], raw_input_contents: [bytesElements(texts)] }
        : { inputs: [{ ...input, contents: { bytes_contents: texts.map((text) => Buffer.from(text)) } }] };
    const { value, details } = await client.infer({ model_name: 'spam', ...request });
    expect(details).toBe('');
    expect(offBy(floatsOf(value.raw_output_contents![0]!), SPAM_CASES.flatMap(({ logits }) => logits))).toBeLessThan(1e-4); // prettier-ignore
  });

  it('spam, so many bytes of texts that another thread reads them', async () => {
    const texts = Array.from({ length: 200 }, () => `${SPAM_CASES[0]!.text} ${'so '.repeat(200)}`);
    const inputs = [{ name: 'text', datatype: 'BYTES', shape: [texts.length] }];
    const outputs = [{ name: 'logits', parameters: { classification: { int64_param: 1 } } }];
    const { value, details } = await client.infer({ model_name: 'spam', id: 'long', inputs, outputs, raw_input_contents: [bytesElements(texts)] }); // prettier-ignore
    expect([details, value.id, value.outputs?.[0]?.datatype, value.outputs?.[0]?.shape]).toEqual([
      '',
      'long',
      'BYTES',
      ['200', '1'],
    ]);
  });
});

describe('every datatype', () => {
  const TYPED = {
    f32: { fp32_contents: [1.5, NaN] },
    f64: { fp64_contents: [0.1, -Infinity] },
    i8: { int_contents: [-128, 127] },
    i16: { int_contents: [-32_768, 7] },
    i32: { int_contents: [-(2 ** 31), 7] },
    i64: { int64_contents: ['-9223372036854775808', '9007199254740993'] },
    u8: { uint_contents: [0, 255] },
    u16: { uint_contents: [0, 65_535] },
    u32: { uint_contents: [0, 4_294_967_295] },
    u64: { uint64_contents: ['18446744073709551615', '9007199254740993'] },
    b: { bool_contents: [true, false] },
    s: { bytes_contents: [Buffer.from('naïve'), Buffer.alloc(0)] },
  };
  const RAW = {
    ...{ f32: bytesOf(Float32Array.of(1.5, NaN)), f64: bytesOf(Float64Array.of(0.1, -Infinity)) },
    ...{
      f16: bytesOf(Uint16Array.of(0x3c00, 0x7bff)),
      b: Uint8Array.of(1, 0),
      s: bytesElements(['naïve', '']),
    },
    ...{ i8: bytesOf(Int8Array.of(-128, 127)), i16: bytesOf(Int16Array.of(-32_768, 7)) },
    ...{
      i32: bytesOf(Int32Array.of(-(2 ** 31), 7)),
      i64: bytesOf(BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n)),
    },
    ...{ u8: Uint8Array.of(0, 255), u16: bytesOf(Uint16Array.of(0, 65_535)) },
    ...{
      u32: bytesOf(Uint32Array.of(0, 2 ** 32 - 1)),
      u64: bytesOf(BigUint64Array.of(2n ** 64n - 1n, 2n ** 53n + 1n)),
    },
  };
  const described = async (): Promise<{ name: keyof typeof RAW; datatype: string; shape: number[] }[]> => {
    const { json } = await http.get('/v2/models/dtypes');
    const { inputs } = json as unknown as { inputs: { name: keyof typeof RAW; datatype: string }[] };
    return inputs.map(({ name, datatype }) => ({ name, datatype, shape: [1, 2] }));
  };

  it('comes back bit by bit, raw', async () => {
    const inputs = await described();
    const raws = inputs.map(({ name }) => Buffer.from(RAW[name]).toString('hex'));
    const request = { model_name: 'dtypes', inputs, raw_input_contents: inputs.map(({ name }) => RAW[name]) };
    const { value, details } = await client.infer(request);
    expect(details).toBe('');
    expect(value.raw_output_contents?.map((raw) => raw.toString('hex'))).toEqual(raws);
  });

  it('but FP16 comes back, typed', async () => {
    const inputs = await described();
    const typed = inputs.map((input) =>
      input.name === 'f16' ? input : { ...input, contents: TYPED[input.name] },
    );
    const refused = await client.infer({ model_name: 'dtypes', inputs: typed });
    expect(refused.details).toBe('inputs.f16: FP16 has no typed contents; send raw_input_contents');
    const outputs = Object.keys(TYPED).map((name) => ({ name: `${name}_out` }));
    const { value, details } = await client.infer({
      ...{ model_name: 'dtypes', inputs, outputs, raw_input_contents: inputs.map(({ name }) => RAW[name]) },
      parameters: { binary_data_output: { bool_param: false } },
    });
    expect(details).toBe('');
    for (const [at, [, contents]] of Object.entries(TYPED).entries())
      expect(value.outputs?.[at]?.contents).toMatchObject(contents);
  });

  it.each([
    [
      'i8',
      { int_contents: [300, 0] },
      'inputs.i8: element 0: number 300 is out of range for int8 (-128 to 127)',
    ],
    [
      'i8',
      { int_contents: [1] },
      'inputs.i8: expected 2 values in contents.int_contents for shape [1,2], got 1',
    ],
    [
      'i8',
      { uint_contents: [1, 2] },
      'inputs.i8: expected 2 values in contents.int_contents for shape [1,2], got 0',
    ],
    [
      's',
      { bytes_contents: [Buffer.from([0xff]), Buffer.alloc(0)] },
      'inputs.s: element 0: expected UTF-8, got 1 other bytes',
    ],
  ])('typed %s that is wrong: %j', async (wrong, contents, message) => {
    const inputs = await described();
    const { i8, ...others } = TYPED;
    const all: Readonly<Record<string, object>> = { ...others, i8, f16: {}, [wrong]: contents };
    const order = inputs.map((input) => ({ ...input, contents: all[input.name] }));
    const reply = await client.infer({ model_name: 'dtypes', inputs: order });
    // FP16 comes first where the wrong one comes after it.
    expect([
      reply.code,
      [message, 'inputs.f16: FP16 has no typed contents; send raw_input_contents'],
    ]).toEqual([3, expect.arrayContaining([reply.details])]);
  });
});

describe('the other calls', () => {
  it('server and models', async () => {
    expect((await client.ask('ServerLive')).value).toEqual({ live: true });
    expect((await client.ask('ServerReady')).value).toEqual({ ready: true });
    expect((await client.ask('ModelReady', { name: 'spam', version: '1' })).value).toEqual({ ready: true });
    expect((await client.ask('ModelReady', { name: 'spam', version: '2' })).value).toEqual({ ready: false });
    expect((await client.ask('ModelReady', { name: 'nothing' })).value).toEqual({ ready: false });
    expect((await client.ask('ServerMetadata')).value).toEqual((await http.get('/v2')).json);
  });

  const asStrings = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value, (_, part: unknown) => (typeof part === 'number' ? String(part) : part)));

  it.each([
    ['ModelMetadata', '', (value: object): unknown => value],
    ['ModelConfig', '/config', (value: object): unknown => (value as { config: object }).config],
    ['ModelStatistics', '/stats', (value: object): unknown => value],
  ])('%s says what GET /v2/models/M%s says', async (method, path, inner) => {
    for (const name of ['spam', 'fraud_detector', 'dtypes']) {
      const { value } = await client.ask(method, { name });
      const { json } = await http.get(`/v2/models/${name}${path}`);
      expect(asStrings(inner(value))).toEqual(asStrings(json));
    }
    expect(await client.ask(method, { name: 'nothing' })).toMatchObject({
      code: 5,
      carpoolCode: 'MODEL_NOT_FOUND',
    });
  });

  it('statistics of all models', async () => {
    const { value } = await client.ask('ModelStatistics');
    expect(value.model_stats?.map(({ name }) => name)).toEqual(expect.arrayContaining(['spam', 'dtypes']));
    expect(
      Number(value.model_stats?.find(({ name }) => name === 'fraud_detector')?.inference_count),
    ).toBeGreaterThan(0);
  });

  it('repository', async () => {
    const state = async (name: string): Promise<string | undefined> =>
      (await client.ask('RepositoryIndex')).value.models?.find((model) => model.name === name)?.state;
    await running.client.load('again', 'poison.onnx');
    expect(await state('again')).toBe('READY');
    expect((await client.ask('RepositoryModelUnload', { model_name: 'again' })).code).toBe(0);
    expect(await state('again')).toBeUndefined();
    expect((await client.ask('RepositoryModelLoad', { model_name: 'again' })).code).toBe(0);
    expect(await state('again')).toBe('READY');
    const parameters = { config: { string_param: '{}' } };
    expect(await client.ask('RepositoryModelLoad', { model_name: 'again', parameters })).toMatchObject({
      code: 3,
    });
    expect(await client.ask('RepositoryModelLoad', { model_name: '../x' })).toMatchObject({ code: 3 });
    expect(await client.ask('RepositoryModelLoad', { model_name: 'nothing' })).toMatchObject({ code: 9, carpoolCode: 'MODEL_LOAD_FAILED' }); // prettier-ignore
  });

  it('health', async () => {
    expect((await client.ask('Check')).value).toEqual({ status: 'SERVING' });
    expect((await client.ask('Check', { service: 'inference.GRPCInferenceService' })).value).toEqual({
      status: 'SERVING',
    });
    expect((await client.ask('Check', { service: 'other' })).code).toBe(5);
  });

  it('are counted and logged as requests', async () => {
    const series =
      'http_request_total{method="POST",route="/inference.GRPCInferenceService/ServerLive",status="200"}';
    const before = await running.client.metric(series);
    await client.ask('ServerLive');
    expect(await running.client.metric(series)).toBe(before + 1);
  });
});

describe('what is refused', () => {
  const BARE_A = { name: 'a', datatype: 'FP32', shape: [1, 3] };
  const BARE_B = { name: 'b', datatype: 'FP32', shape: [1, 2] };
  const A = { ...BARE_A, contents: { fp32_contents: [1, 2, 3] } };
  const B = { ...BARE_B, contents: { fp32_contents: [1, 2] } };
  const RAW_A = bytesOf(Float32Array.of(1, 2, 3));

  it.each<[string, object, number, string]>([
    ['an unknown model', { model_name: 'multi' }, 5, "no model 'multi'; did you mean 'multi_io'?"],
    ['another version', { model_version: '9' }, 5, "model 'multi_io' has no version '9'; loaded: 1"],
    [
      'a missing input',
      { inputs: [A] },
      3,
      'inputs: missing tensor "b"; expected a FP32 [-1,3], b FP32 [-1,2]',
    ],
    [
      'another shape',
      { inputs: [{ ...A, shape: [1, 4] }, B] },
      3,
      'inputs.a: expected shape [-1,3], got [1,4]',
    ],
    [
      'a negative shape',
      { inputs: [{ ...A, shape: [-1, 3] }, B] },
      3,
      'inputs.a: expected an integer from 0 on as shape[0], got number -1',
    ],
    [
      'a huge shape',
      { inputs: [{ ...A, shape: ['9223372036854775807', 3] }, B] },
      3,
      'inputs.a: expected an integer from 0 on as shape[0], got number 9223372036854776000',
    ],
    [
      'raw for some',
      { inputs: [BARE_A, BARE_B], raw_input_contents: [RAW_A] },
      3,
      'raw_input_contents: expected one for each of the 2 inputs or none at all, got 1',
    ],
    [
      'raw and typed',
      { inputs: [A, BARE_B], raw_input_contents: [RAW_A, RAW_A] },
      3,
      'inputs.a: expected either contents or raw_input_contents, got both',
    ],
    [
      'raw of another size',
      { inputs: [BARE_A, BARE_B], raw_input_contents: [RAW_A, RAW_A] },
      3,
      'inputs.b: expected 8 bytes for FP32 [1,2], got 12',
    ],
    [
      'shared memory',
      { inputs: [{ ...A, parameters: { shared_memory_region: { string_param: 'r' } } }, B] },
      3,
      'inputs.a: shared memory is not supported; send the data in the body',
    ],
    [
      'an unknown output',
      { inputs: [A, B], outputs: [{ name: 'x' }] },
      3,
      'outputs[0]: expected one of sum, scaled; got "x"',
    ],
    [
      'a strange priority',
      { inputs: [A, B], parameters: { priority: { string_param: '1' } } },
      3,
      'request: expected parameters.priority as an integer from 0 on, got string "1"',
    ],
    [
      'too many rows',
      {
        inputs: [
          { ...BARE_A, shape: [201, 3] },
          { ...BARE_B, shape: [201, 2] },
        ],
        raw_input_contents: [Buffer.alloc(201 * 12), Buffer.alloc(201 * 8)],
      },
      3,
      'inputs.a: expected at most 200 rows in a request, got 201',
    ],
  ])('%s', async (_name, parts, code, details) => {
    const reply = await client.infer({ model_name: 'multi_io', inputs: [A, B], ...parts });
    expect([reply.code, reply.details]).toEqual([code, details]);
  });

  it('a message that is too large', async () => {
    const raw_input_contents = [Buffer.alloc(17 * 1024 * 1024), RAW_A];
    expect((await client.infer({ model_name: 'multi_io', raw_input_contents })).code).toBe(8);
  });

  it('what the model fails on', async () => {
    const inputs = [{ name: 'idx', datatype: 'INT64', shape: [1], contents: { int64_contents: ['99'] } }];
    expect(await client.infer({ model_name: 'poison', inputs })).toMatchObject({
      code: 13,
      carpoolCode: 'EXECUTION_FAILED',
    });
  });
});

describe('deadlines and cancelled calls', () => {
  const slow = (rows: number, id = ''): object => ({
    ...{ model_name: 'slow', id },
    inputs: [{ name: 'x', datatype: 'FP32', shape: [rows, 64] }],
    raw_input_contents: [Buffer.alloc(rows * 256)],
  });

  it('a deadline that passes is the answer, and what waited is not run', async () => {
    const inFlight = Array.from({ length: 40 }, () => client.infer(slow(40), { timeoutMs: 30 }));
    const replies: GrpcReply[] = await Promise.all(inFlight);
    const codes = new Set(replies.map(({ code }) => code));
    // Some may be in time, on a quick machine; some are refused at once, for want of time.
    expect([...codes].every((code) => [0, 4, 8].includes(code))).toBe(true);
    expect(codes.has(4) || codes.has(8)).toBe(true);
    expect((await client.infer(slow(1))).code).toBe(0);
  });

  it('`timeout` in microseconds is one, too', async () => {
    const reply = await client.infer({ ...slow(1), parameters: { timeout: { int64_param: 1 } } });
    expect([4, 8]).toContain(reply.code);
  });

  it('a cancelled call leaves the queue', async () => {
    const cancelled = 'carpool_cancelled_rows_total{model="slow"}';
    const before = await running.client.metric(cancelled);
    const aborts = Array.from({ length: 30 }, () => new AbortController());
    const calls = aborts.map(({ signal }) => client.infer(slow(40), { signal }));
    const queued = (): Promise<number> => running.client.metric('carpool_queue_rows{model="slow"}');
    await until('something waits', async () => (await queued()) > 0);
    for (const abort of aborts) abort.abort();
    expect((await Promise.all(calls)).filter(({ code }) => code === 1).length).toBeGreaterThan(0);
    await until('nothing waits', async () => (await queued()) === 0);
    expect(await running.client.metric(cancelled)).toBeGreaterThan(before);
  });
});

describe('ModelStreamInfer', () => {
  const one = (index: number, value = index % 4): object => ({
    ...{ model_name: 'poison', id: `${index}` },
    inputs: [{ name: 'idx', datatype: 'INT64', shape: [1], contents: { int64_contents: [`${value}`] } }],
  });

  it('answers in order, errors too, more than it works on at a time', async () => {
    const requests = Array.from({ length: 200 }, (_, i) => (i === 7 ? one(i, 99) : i === 9 ? { model_name: 'x', id: '9' } : one(i))); // prettier-ignore
    const values = await client.stream(requests);
    expect(values.map(({ infer_response }) => infer_response?.id)).toEqual(requests.map((_, i) => `${i}`));
    const failed = values.flatMap(({ error_message: message }, i) => (message === '' ? [] : [i]));
    expect(failed).toEqual([7, 9]);
    const poison = values[8]?.infer_response?.raw_output_contents?.[0];
    expect(floatsOf(poison!)).toEqual([0.5]);
  });
});
