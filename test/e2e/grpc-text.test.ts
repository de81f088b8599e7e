import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GrpcClient } from '../support/grpc-client.js';
import { startGateway, type Running } from '../support/start-gateway.js';

let running: Running;
let client: GrpcClient;
beforeAll(async () => {
  running = await startGateway({ grpc: { enabled: true, port: 0 }, models: { load: ['fraud_detector'] } });
  client = new GrpcClient(running.grpc!);
});
afterAll(async () => {
  client.close();
  await running.close();
});

/** Where a message is cut at 128 units, it is cut inside of the last character; the other is half of one already. */
const TEXTS = [`${'a'.repeat(127)}😀`, `${'a'.repeat(99)}😀`, '\ud83d', '\0\r\n\u{2028}%'];

const input = { name: 'float_input', datatype: 'FP32', shape: [1, 30], parameters: {}, contents: null };
const infer = {
  ...{ model_name: 'fraud_detector', model_version: '', id: '', inputs: [input], outputs: [] },
  raw_input_contents: [Buffer.alloc(120)],
};

/** Every text that a client can send, by method and field. */
const FIELDS: readonly (readonly [string, string, (text: string) => object])[] = [
  ['Check', 'service', (service) => ({ service })],
  ...['ModelReady', 'ModelMetadata', 'ModelConfig', 'ModelStatistics'].flatMap(
    (method) =>
      [
        [method, 'name', (name: string) => ({ name })],
        [method, 'version', (version: string) => ({ name: 'fraud_detector', version })],
      ] as const,
  ),
  ['RepositoryIndex', 'repository_name', (repository_name) => ({ repository_name })],
  ['RepositoryModelLoad', 'model_name', (model_name) => ({ model_name })],
  [
    'RepositoryModelLoad',
    'parameters',
    (text) => ({ model_name: 'none', parameters: { [text]: { string_param: text } } }),
  ],
  ['RepositoryModelUnload', 'model_name', (model_name) => ({ model_name })],
  ['ModelInfer', 'model_name', (model_name) => ({ ...infer, model_name })],
  ['ModelInfer', 'model_version', (model_version) => ({ ...infer, model_version })],
  ['ModelInfer', 'id', (id) => ({ ...infer, id })],
  [
    'ModelInfer',
    'parameters',
    (text) => ({
      ...infer,
      parameters: { [text]: { string_param: text }, priority: { string_param: text } },
    }),
  ],
  ['ModelInfer', 'inputs.name', (name) => ({ ...infer, inputs: [{ ...input, name }] })],
  ['ModelInfer', 'inputs.datatype', (datatype) => ({ ...infer, inputs: [{ ...input, datatype }] })],
  [
    'ModelInfer',
    'inputs.parameters',
    (text) => ({ ...infer, inputs: [{ ...input, parameters: { [text]: { string_param: text } } }] }),
  ],
  ['ModelInfer', 'outputs.name', (name) => ({ ...infer, outputs: [{ name, parameters: {} }] })],
];

describe('text that is cut inside of a character, or is half of one', () => {
  it.each(FIELDS)('%s, %s: is answered', async (method, _, request) => {
    const codes = await Promise.all(
      TEXTS.map(async (text) => (await client.ask(method, request(text), { timeoutMs: 10_000 })).code),
    );
    // UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE: thrown, never answered, our fault, gone.
    expect(codes.filter((code) => [2, 4, 13, 14].includes(code))).toEqual([]);
  });

  it('in a stream, too', async () => {
    const requests = TEXTS.flatMap((text) => [
      { ...infer, model_name: text },
      { ...infer, inputs: [{ ...input, name: text }] },
    ]);
    const answers = await client.stream(requests);
    expect(answers.map(({ error_message: message }) => message !== '')).toEqual(requests.map(() => true));
    expect(answers.map(({ error_message: message = '' }) => Buffer.from(message).toString() === message)).toEqual(requests.map(() => true)); // prettier-ignore
  });

  it('says what came, as far as it can be said', async () => {
    const { code, details } = await client.ask('Check', { service: TEXTS[0] });
    expect([code, details]).toEqual([5, expect.stringContaining(`${'a'.repeat(127)}\ufffd`)]);
  });
});
