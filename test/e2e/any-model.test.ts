import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { HttpClient } from '../support/http-client.js';
import { startGateway, tempModelRoot, type Running } from '../support/start-gateway.js';

let running: Running;
let client: HttpClient;
let removeRoot: () => Promise<void>;

beforeAll(async () => {
  const root = await tempModelRoot();
  removeRoot = root.remove;
  running = await startGateway({ models: { root: root.path, load: ['fraud_detector'] } });
  ({ client } = running);
});
afterAll(async () => {
  await running.close();
  await removeRoot();
});

const row = (value: number): number[] => Array.from({ length: 64 }, (_, i) => value + i);

/** File, how its rows may be joined, and what must come out for what goes in. */
const TENSOR_MODELS: readonly [string, object, unknown, object][] = [
  [
    'multi_io',
    { mode: 'dynamic' },
    { a: [[1, 2, 3], [4, 5, 6]], b: [[1, 1], [2, 2]] }, // prettier-ignore
    { sum: [[8], [19]], scaled: [[2, 4, 6], [8, 10, 12]] }, // prettier-ignore
  ],
  [
    'fixed_batch',
    { mode: 'fixed', size: 4 },
    [1, 2, 3, 4, 5].map((n) => [n, 0, -n]),
    {
      y: [1, 2, 3, 4, 5].map((n) => [3 * n + 1, 1, 1 - 3 * n]),
    },
  ],
  [
    'fixed_one',
    { mode: 'fixed', size: 1 },
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    {
      y: [
        [2, 3, 4],
        [5, 6, 7],
      ],
    },
  ],
  [
    'no_batch_out',
    { mode: 'single' },
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    {
      y: [
        [2, 4, 6],
        [8, 10, 12],
      ],
      mean: 3.5,
    },
  ],
  [
    'leaky',
    { mode: 'single' },
    [
      [1, 2, 3],
      [3, 6, 9],
    ],
    {
      y: [
        [-1, -2, -3],
        [1, 2, 3],
      ],
    },
  ],
  [
    'scalar_input',
    { mode: 'single' },
    {
      x: [
        [1, 2, 3],
        [4, 5, 6],
      ],
      scale: [10],
    },
    {
      y: [
        [10, 20, 30],
        [40, 50, 60],
      ],
    },
  ],
  [
    'dyn_tail',
    { mode: 'dynamic' },
    [
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ],
    { y: [[9, 12]] },
  ],
  ['poison', { mode: 'dynamic' }, [0, 9, -1], { y: [0.5, 90.5, 90.5] }],
  ['poison_rows', { mode: 'dynamic' }, [[0], [3]], { y: [[0.5], [30.5]] }],
  ['string_io', { mode: 'dynamic' }, [['naïve 世界 🎉'], ['']], { t: [['naïve 世界 🎉'], ['']] }],
  ['slow', { mode: 'dynamic' }, [row(1), row(-2)], { y: [row(2), row(-1)] }],
];

describe('a bare .onnx file', () => {
  it.each(TENSOR_MODELS)('%s is loaded, tested and right', async (name, batch, inputs, outputs) => {
    expect((await client.load(name, `${name}.onnx`)).body).toMatchObject({ status: 'loaded', name });
    expect((await client.get(`/v1/models/${name}`)).body.batch).toMatchObject(batch);
    const { status, body } = await client.infer(name, inputs);
    expect([status, body.outputs]).toEqual([200, outputs]);
  });

  it('shows names, dtypes and shapes, symbolic dimensions by name', async () => {
    await client.load('dtypes', 'dtypes.onnx');
    const names = ['f32', 'f64', 'f16', 'i8', 'i16', 'i32', 'i64', 'u8', 'u16', 'u32', 'u64', 'b', 's'];
    const dtypes = ['float32', 'float64', 'float16', 'int8', 'int16', 'int32', 'int64']
      .concat(['uint8', 'uint16', 'uint32', 'uint64', 'bool', 'string'])
      .map((dtype, i) => ({ name: names[i], dtype, shape: ['N', 2] }));
    const { body } = await client.get('/v1/models/dtypes');
    expect(body).toMatchObject({
      inputs: dtypes,
      outputs: dtypes.map((spec) => ({ ...spec, name: `${spec.name ?? ''}_out` })),
    });
  });

  it('takes and gives every dtype exactly', async () => {
    await client.load('dtypes', 'dtypes.onnx');
    // As text: JavaScript's own JSON would round the integers before they are sent.
    const literals = {
      f32: '[[1.5,-0.1]]',
      f64: '[[1.7976931348623157e+308,0.1]]',
      f16: '[[65504,-0.33325195]]',
      i8: '[[-128,127]]',
      i16: '[[-32768,32767]]',
      i32: '[[-2147483648,2147483647]]',
      i64: '[[9223372036854775807,-9007199254740993]]',
      u8: '[[0,255]]',
      u16: '[[0,65535]]',
      u32: '[[0,4294967295]]',
      u64: '[[18446744073709551615,9007199254740993]]',
      b: '[[true,false]]',
      s: '[["naïve 世界 🎉",""]]',
    };
    const members = Object.entries(literals).map(([name, literal]) => `"${name}":${literal}`);
    const { text } = await client.post('/v1/models/dtypes/infer', `{"inputs":{${members.join(',')}}}`);
    const outputs = Object.entries(literals).map(([name, literal]) => `"${name}_out":${literal}`);
    expect(text).toContain(`"outputs":{${outputs.join(',')}}`);
  });

  it('computes with int64 beyond 2^53, also for callers that ride together', async () => {
    await client.load('bigint', 'bigint.onnx');
    const firsts = Array.from({ length: 40 }, (_, i) => 9_007_199_254_740_993n + BigInt(i));
    const replies = await Promise.all(
      firsts.map((x) => client.post('/v1/models/bigint/infer', `{"inputs":[[${x}],[-${x}]]}`)),
    );
    expect(replies.map(({ text }) => /"outputs":(.*)}$/.exec(text)?.[1])).toEqual(
      firsts.map((x) => `{"y":[[${x + 1n}],[${1n - x}]]}`),
    );
  });

  it('gives only the outputs that are asked for', async () => {
    await client.load('multi_io', 'multi_io.onnx');
    const { body } = await client.infer('multi_io', { a: [[1, 2, 3]], b: [[1, 1]] }, { outputs: ['scaled'] });
    expect(body.outputs).toEqual({ scaled: [[2, 4, 6]] });
  });
});
