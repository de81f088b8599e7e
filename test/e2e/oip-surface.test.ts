import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { bytesOf, floatsOf, framed, OipClient, type OipJson, type OipReply } from '../support/oip-client.js';
import { startGateway, tempModelRoot, type Running, type TempFolder } from '../support/start-gateway.js';
import { FRAUD_CASES } from './golden.js';

let root: TempFolder;
let running: Running;
let client: OipClient;

beforeAll(async () => {
  root = await tempModelRoot({ 'broken/model.onnx': 'this is no model' });
  await mkdir(path.join(root.path, 'empty'));
  running = await startGateway({ models: { root: root.path, load: ['spam', 'fraud_detector'] } });
  client = new OipClient(running.url);
});
afterAll(async () => {
  client.close();
  await running.close();
  await root.remove();
});

const ROW = { name: 'float_input', shape: [1, 30], datatype: 'FP32', data: FRAUD_CASES[0]!.input };
const json = async (reply: Promise<OipReply>): Promise<[number, OipJson]> => {
  const { status, json: body } = await reply;
  return [status, body];
};

describe('health and metadata', () => {
  it('is live and ready', async () => {
    expect(await json(client.get('/v2/health/live'))).toEqual([200, { live: true }]);
    expect(await json(client.get('/v2/health/ready'))).toEqual([200, { ready: true }]);
    const ready = { name: 'spam', ready: true };
    expect(await json(client.get('/v2/models/spam/ready'))).toEqual([200, ready]);
    expect(await json(client.get('/v2/models/spam/versions/1/ready'))).toEqual([200, ready]);
    expect((await client.get('/v2/models/nothing/ready')).status).toBe(404);
  });

  it('of the server', async () => {
    const [status, body] = await json(client.get('/v2'));
    expect([status, body]).toEqual([
      200,
      { name: 'carpool', version: expect.stringMatching(/^\d+\.\d+\.\d+/), extensions: expect.any(Array) },
    ]);
  });

  it.each(['/v2/models/fraud_detector', '/v2/models/fraud_detector/versions/1'])(
    'of a model: %s',
    async (at) => {
      expect(await json(client.get(at))).toEqual([
        200,
        {
          name: 'fraud_detector',
          versions: ['1'],
          platform: 'onnxruntime_onnx',
          inputs: [{ name: 'float_input', datatype: 'FP32', shape: [-1, 30] }],
          outputs: [
            { name: 'label', datatype: 'INT64', shape: [-1] },
            { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] },
          ],
        },
      ]);
    },
  );

  it('of a model with a batch of fixed size, which takes any number of rows', async () => {
    await running.client.load('fixed_batch', 'fixed_batch.onnx');
    const [, body] = await json(client.get('/v2/models/fixed_batch'));
    expect(body).toMatchObject({ inputs: [{ shape: [-1, 3] }], outputs: [{ shape: [-1, 3] }] });
    const [, config] = await json(client.get('/v2/models/fixed_batch/config'));
    expect(config).toMatchObject({ max_batch_size: 4, input: [{ dims: [3] }] });
    const data = Array.from({ length: 15 }, (_, i) => i);
    const { json: answer } = await client.infer('fixed_batch', [
      { name: 'x', shape: [5, 3], datatype: 'FP32', data },
    ]);
    expect(answer.outputs).toEqual([
      {
        name: 'y',
        datatype: 'FP32',
        shape: [5, 3],
        data: data.map((value) => 3 * value + 1),
      },
    ]);
  });

  it('of a model whose rows are not joined', async () => {
    await running.client.load('no_batch_out', 'no_batch_out.onnx');
    const [, config] = await json(client.get('/v2/models/no_batch_out/config'));
    expect(config).toMatchObject({ max_batch_size: 0 });
    expect(config).not.toHaveProperty('dynamic_batching');
    const inputs = [{ name: 'x', shape: [2, 3], datatype: 'FP32', data: [1, 2, 3, 4, 5, 6] }];
    expect((await client.infer('no_batch_out', inputs)).json.outputs?.[1]).toEqual({
      ...{ name: 'mean', datatype: 'FP32' },
      ...{ shape: [], data: [3.5] },
    });
  });

  it('configuration', async () => {
    const [status, body] = await json(client.get('/v2/models/fraud_detector/config'));
    expect([status, body]).toEqual([
      200,
      {
        ...{
          name: 'fraud_detector',
          platform: 'onnxruntime_onnx',
          backend: 'onnxruntime',
          max_batch_size: 64,
        },
        input: [{ name: 'float_input', data_type: 'TYPE_FP32', dims: [30] }],
        output: [
          { name: 'label', data_type: 'TYPE_INT64', dims: [] },
          { name: 'probabilities', data_type: 'TYPE_FP32', dims: [2] },
        ],
        dynamic_batching: {
          max_queue_delay_microseconds: 0,
          default_queue_policy: {
            ...{ timeout_action: 'REJECT', default_timeout_microseconds: 30_000_000 },
            ...{ allow_timeout_override: true, max_queue_size: 16_384 },
          },
        },
      },
    ]);
  });
});

describe('every datatype', () => {
  const VALUES: Readonly<Record<string, Uint8Array>> = {
    f32: bytesOf(Float32Array.of(1.5, NaN)),
    f64: bytesOf(Float64Array.of(0.1, -Infinity)),
    f16: bytesOf(Uint16Array.of(0x3c00, 0x7bff)),
    i8: bytesOf(Int8Array.of(-128, 127)),
    i16: bytesOf(Int16Array.of(-32_768, 7)),
    i32: bytesOf(Int32Array.of(-(2 ** 31), 7)),
    i64: bytesOf(BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n)),
    u8: Uint8Array.of(0, 255),
    u16: bytesOf(Uint16Array.of(0, 65_535)),
    u32: bytesOf(Uint32Array.of(0, 2 ** 32 - 1)),
    u64: bytesOf(BigUint64Array.of(2n ** 64n - 1n, 2n ** 53n + 1n)),
    b: Uint8Array.of(1, 0),
    s: Buffer.concat([Buffer.from([6, 0, 0, 0]), Buffer.from('naïve'), Buffer.alloc(4)]),
  };

  /** Alone in the JSON's length, so that the bytes lie at every alignment. */
  it.each([0, 1, 2, 3, 4, 5, 6, 7])('comes back bit by bit, %p bytes off', async (offset) => {
    await running.client.load('dtypes', 'dtypes.onnx');
    const { json: metadata } = await client.get('/v2/models/dtypes');
    const specs = (metadata as unknown as { inputs: { name: string; datatype: string }[] }).inputs;
    const inputs = specs.map(({ name, datatype }) => ({
      name,
      datatype,
      shape: [1, 2],
      bytes: VALUES[name]!,
    }));
    const more = { id: 'x'.repeat(offset), parameters: { binary_data_output: true } };
    const { json: body, binary } = await client.infer('dtypes', inputs, more);
    expect(body.error).toBeUndefined();
    expect(body.outputs?.map(({ name, datatype, shape }) => ({ name, datatype, shape }))).toEqual(
      specs.map(({ name, datatype }) => ({ name: `${name}_out`, datatype, shape: [1, 2] })),
    );
    expect(binary.toString('hex')).toBe(Buffer.concat(inputs.map(({ bytes }) => bytes)).toString('hex'));
  });

  it('64-bit integers have all their digits in JSON', async () => {
    await running.client.load('bigint', 'bigint.onnx');
    const body =
      '{"inputs":[{"name":"x","shape":[2,1],"datatype":"INT64","data":[9007199254740993,-9007199254740995]}]}';
    const { bytes } = await client.post('/v2/models/bigint/infer', body);
    expect(bytes.toString()).toContain('"data":[9007199254740994,-9007199254740994]');
  });
});

describe('compression', () => {
  const { body, headers } = framed(
    [
      {
        name: 'float_input',
        shape: [1, 30],
        datatype: 'FP32',
        bytes: bytesOf(Float32Array.from(FRAUD_CASES[0]!.input)),
      },
    ],
    { parameters: { binary_data_output: true } },
  );

  it.each([
    ['gzip', gzipSync(body)],
    ['deflate', deflateSync(body)],
  ])('%s requests; the header counts what was there before', async (coding, packed) => {
    const all = { ...headers, 'content-encoding': coding };
    const { status, binary } = await client.post('/v2/models/fraud_detector/infer', packed, all);
    expect([status, floatsOf(binary.subarray(8))[0]]).toEqual([
      200,
      expect.closeTo(FRAUD_CASES[0]!.probabilities[0], 4),
    ]);
  });

  it.each([
    ['gzip', gunzipSync],
    ['deflate', inflateSync],
  ])('%s answers, when they are large and asked for', async (coding, unpack) => {
    const rows = 2000;
    const input = {
      ...ROW,
      shape: [rows, 30],
      data: Array.from({ length: rows }, () => FRAUD_CASES[0]!.input).flat(),
    };
    for (const binary_data_output of [false, true]) {
      const ask = { inputs: [input], parameters: { binary_data_output } };
      const plain = await client.post('/v2/models/fraud_detector/infer', ask);
      const packed = await client.post('/v2/models/fraud_detector/infer', ask, { 'accept-encoding': coding });
      expect(packed.headers['content-encoding']).toBe(coding);
      expect(packed.headers['inference-header-content-length']).toBe(
        plain.headers['inference-header-content-length'],
      );
      expect(unpack(packed.bytes).equals(plain.bytes)).toBe(true);
    }
    const short = await client.post(
      '/v2/models/fraud_detector/infer',
      { inputs: [ROW] },
      { 'accept-encoding': coding },
    );
    expect([short.status, short.headers['content-encoding']]).toEqual([200, undefined]);
  });
});

describe('statistics', () => {
  interface Stats {
    readonly model_stats: readonly {
      readonly name: string;
      readonly last_inference: number;
      readonly inference_count: number;
      readonly execution_count: number;
      readonly inference_stats: Readonly<Record<string, { readonly count: number; readonly ns: number }>>;
      readonly batch_stats: readonly {
        readonly batch_size: number;
        readonly compute_infer: { readonly count: number };
      }[];
    }[];
  }
  const stats = async (at: string): Promise<Stats> => (await client.get(at)).json as unknown as Stats;

  it('count rows, runs and requests, whatever protocol they came by', async () => {
    await running.client.load('counted', 'poison.onnx');
    const before = Date.now();
    await running.client.infer('counted', [0, 1, 2]);
    await client.infer('counted', [{ name: 'idx', shape: [2], datatype: 'INT64', data: [1, 2] }]);
    await client.infer('counted', [{ name: 'idx', shape: [1], datatype: 'INT64', data: [1] }], {
      parameters: { timeout: 1 },
    });
    await client.infer('counted', [{ name: 'wrong', shape: [1], datatype: 'FP32', data: [1] }]);
    const { model_stats: all } = await stats('/v2/models/counted/stats');
    const [of] = all;
    expect(of).toMatchObject({ name: 'counted', version: '1', inference_count: 5, execution_count: 2 });
    expect(of?.last_inference).toBeGreaterThanOrEqual(before);
    const counts = Object.fromEntries(
      Object.entries(of?.inference_stats ?? {}).map(([key, { count }]) => [key, count]),
    );
    expect(counts).toEqual({ success: 2, fail: 1, queue: 2, compute_input: 2, compute_infer: 2, compute_output: 2, cache_hit: 0, cache_miss: 0 }); // prettier-ignore
    expect(of?.batch_stats.map(({ batch_size, compute_infer: { count } }) => [batch_size, count])).toEqual([[2, 1], [3, 1]]); // prettier-ignore
    const { success, queue, compute_input, compute_infer, compute_output } = of!.inference_stats;
    const parts = [queue, compute_input, compute_infer, compute_output].map((part) => part?.ns ?? NaN);
    expect(parts.every((ns) => Number.isInteger(ns) && ns >= 0)).toBe(true);
    // To the nanosecond that each of them is rounded to.
    expect(Math.abs(parts.reduce((sum, ns) => sum + ns, 0) - (success?.ns ?? NaN))).toBeLessThan(10);
    expect((await stats('/v2/models/counted/versions/1/stats')).model_stats).toEqual(all);
    expect((await stats('/v2/models/stats')).model_stats.map(({ name }) => name)).toContain('counted');
  });
});

describe('the model repository', () => {
  const index = async (
    body?: object,
  ): Promise<readonly { readonly name: string; readonly state: string }[]> => {
    const { json: entries } = await client.post('/v2/repository/index', body);
    return entries as unknown as readonly { readonly name: string; readonly state: string }[];
  };

  it('lists what is served and what could be', async () => {
    const entries = await index();
    expect(entries).toContainEqual({ name: 'spam', version: '1', state: 'READY' });
    expect(entries).toContainEqual({ name: 'broken', state: 'UNAVAILABLE' });
    const ready = await index({ ready: true });
    expect(ready.map(({ name }) => name)).toContain('spam');
    expect(ready.every(({ state }) => state === 'READY')).toBe(true);
  });

  it('takes a model down and brings it back, from where it came', async () => {
    await running.client.load('again', 'poison.onnx');
    const of = (what: string, body?: object): Promise<[number, OipJson]> =>
      json(client.post(`/v2/repository/models/again/${what}`, body));
    expect(await of('unload', { parameters: { unload_dependents: true } })).toEqual([200, {}]);
    expect((await client.get('/v2/models/again/ready')).status).toBe(404);
    expect(await of('load')).toEqual([200, {}]);
    expect(await of('load', {})).toEqual([200, {}]);
    expect((await client.get('/v2/models/again/ready')).status).toBe(200);
    expect(await of('unload')).toEqual([200, {}]);
    expect(await of('unload')).toEqual([404, { error: expect.stringContaining("no model 'again'") }]);
  });

  it.each<[string, object, number, string]>([
    [
      'spam',
      { parameters: { config: '{}' } },
      400,
      'parameters.config: a model can not be given a configuration here',
    ],
    [
      'spam',
      { parameters: { 'file:1/model.onnx': 'AAAA' } },
      400,
      'parameters."file:1/model.onnx": a model can not be sent',
    ],
    ['spam', [], 400, 'body: expected an object or nothing'],
    ['broken', {}, 422, 'broken/model.onnx: '],
    ['nothing', {}, 422, 'path: nothing is at "nothing"'],
    ['..%2F..', {}, 400, 'model: expected a name of 1 to 128 letters'],
  ])('refuses to load %s with %j', async (name, body, status, message) => {
    const reply = await client.post(`/v2/repository/models/${name}/load`, body);
    expect([reply.status, reply.json.error?.startsWith(message)]).toEqual([status, true]);
  });

  it('is not for pages of other sites', async () => {
    const reply = await client.post('/v2/repository/models/spam/unload', '', {
      origin: 'https://evil.example',
    });
    expect([reply.status, typeof reply.json.error]).toEqual([403, 'string']);
  });
});
