import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bytesElements, bytesOf, floatsOf, framed, OipClient, type OipInput } from '../support/oip-client.js';
import { startGateway, type Running } from '../support/start-gateway.js';
import { FRAUD_CASES, SPAM_CASES } from './golden.js';

let running: Running;
let client: OipClient;

beforeAll(async () => {
  running = await startGateway();
  client = new OipClient(running.url);
});
afterAll(async () => {
  client.close();
  await running.close();
});

const ROWS = FRAUD_CASES.map(({ input }) => input);
const PROBABILITIES = FRAUD_CASES.flatMap(({ probabilities }) => probabilities);
const LABELS = FRAUD_CASES.map(({ label }) => label);
const LOGITS = SPAM_CASES.flatMap(({ logits }) => logits);
const TEXTS = SPAM_CASES.map(({ text }) => text);

const fraud = (parts: Partial<OipInput>): OipInput => ({
  name: 'float_input',
  shape: [ROWS.length, 30],
  datatype: 'FP32',
  ...parts,
});
const FRAUD_BYTES = bytesOf(Float32Array.from(ROWS.flat()));

const offBy = (got: readonly unknown[] | undefined, expected: readonly number[]): number => {
  if (got?.length !== expected.length) return Infinity;
  return Math.max(...expected.map((value, i) => Math.abs(Number(got[i]) - value)));
};

describe('every golden case of fraud_detector', () => {
  it.each([
    ['nested', ROWS],
    ['flat', ROWS.flat()],
  ])('as %s JSON', async (_name, data) => {
    const { status, headers, json } = await client.infer('fraud_detector', [fraud({ data })], { id: 'a1' });
    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    expect(json).toMatchObject({ id: 'a1', model_name: 'fraud_detector', model_version: '1' });
    const [label, probabilities] = json.outputs ?? [];
    expect(label).toEqual({ name: 'label', datatype: 'INT64', shape: [LABELS.length], data: LABELS });
    expect(probabilities).toMatchObject({ datatype: 'FP32', shape: [LABELS.length, 2] });
    expect(offBy(probabilities?.data, PROBABILITIES)).toBeLessThan(1e-4);
  });

  it('as binary data in and out', async () => {
    const inputs = [fraud({ bytes: FRAUD_BYTES })];
    const more = { parameters: { binary_data_output: true } };
    const { status, headers, json, binary } = await client.infer('fraud_detector', inputs, more);
    expect([status, headers['content-type']]).toEqual([200, 'application/octet-stream']);
    expect(json.outputs).toEqual([
      { name: 'label', datatype: 'INT64', shape: [LABELS.length], parameters: { binary_data_size: 8 * LABELS.length } },
      { name: 'probabilities', datatype: 'FP32', shape: [LABELS.length, 2], parameters: { binary_data_size: 8 * LABELS.length } },
    ]); // prettier-ignore
    const labels = LABELS.map((_, i) => Number(binary.readBigInt64LE(8 * i)));
    expect(labels).toEqual(LABELS);
    expect(offBy(floatsOf(binary.subarray(8 * LABELS.length)), PROBABILITIES)).toBeLessThan(1e-4);
  });

  it('as both: an output says itself how it travels, and in which order', async () => {
    const outputs = [
      { name: 'probabilities', parameters: { binary_data: true } },
      { name: 'label', parameters: { binary_data: false } },
    ];
    const parameters = { binary_data_output: true };
    const { json, binary } = await client.infer('fraud_detector', [fraud({ bytes: FRAUD_BYTES })], {
      outputs,
      parameters,
    });
    expect(json.outputs?.map(({ name, data }) => [name, data])).toEqual([
      ['probabilities', undefined],
      ['label', LABELS],
    ]);
    expect(offBy(floatsOf(binary), PROBABILITIES)).toBeLessThan(1e-4);
  });

  it('as a raw request, row by row', async () => {
    for (const { input, probabilities } of FRAUD_CASES.slice(0, 4)) {
      const { status, json, binary } = await client.post(
        '/v2/models/fraud_detector/infer',
        bytesOf(Float32Array.from(input)),
        { 'Inference-Header-Content-Length': 0 },
      );
      expect([status, json.outputs?.map(({ shape }) => shape)]).toEqual([200, [[1], [1, 2]]]);
      expect(offBy(floatsOf(binary.subarray(8)), probabilities)).toBeLessThan(1e-4);
    }
  });

  it('under its version, of which there is one', async () => {
    const { body, headers } = framed([fraud({ bytes: FRAUD_BYTES })]);
    const path = (version: number): string => `/v2/models/fraud_detector/versions/${version}/infer`;
    expect((await client.post(path(1), body, headers)).status).toBe(200);
    const { status, json } = await client.post(path(2), body, headers);
    expect([status, json]).toEqual([404, { error: "model 'fraud_detector' has no version '2'; loaded: 1" }]);
  });
});

describe('every golden case of spam', () => {
  const count = TEXTS.length;
  const text = (parts: Partial<OipInput>): OipInput[] => [
    { name: 'text', shape: [count], datatype: 'BYTES', ...parts },
  ];

  it.each<[string, OipInput[]]>([
    ['JSON', text({ data: TEXTS })],
    ['JSON of shape [n,1]', text({ name: 'TEXT', shape: [count, 1], data: TEXTS.map((each) => [each]) })],
    ['binary data', text({ bytes: bytesElements(TEXTS) })],
  ])('as raw texts, %s', async (_name, inputs) => {
    const { status, json } = await client.infer('spam', inputs);
    expect([status, json.error]).toEqual([200, undefined]);
    expect(json.outputs?.[0]).toMatchObject({ name: 'logits', shape: [count, 2] });
    expect(offBy(json.outputs?.[0]?.data, LOGITS)).toBeLessThan(1e-4);
  });

  it('one text as a raw request', async () => {
    const { binary } = await client.post('/v2/models/spam/infer', Buffer.from(TEXTS[0]!), {
      'Inference-Header-Content-Length': '0',
    });
    expect(offBy(floatsOf(binary), SPAM_CASES[0]!.logits)).toBeLessThan(1e-4);
  });

  it('as token ids, in the inputs that the metadata names', async () => {
    const { json } = await client.get('/v2/models/spam');
    const names = (json as { inputs?: readonly { name: string }[] }).inputs?.map(({ name }) => name) ?? [];
    expect(names).toContain('input_ids');
    const ids = BigInt64Array.from([2n, 9n, 3n]);
    const ones = BigInt64Array.from([1n, 1n, 1n]);
    const inputs = names.map((name) => ({
      name,
      shape: [1, 3],
      datatype: 'INT64',
      bytes: bytesOf(name === 'input_ids' ? ids : name === 'attention_mask' ? ones : new BigInt64Array(3)),
    }));
    expect((await client.infer('spam', inputs)).json.outputs?.[0]?.shape).toEqual([1, 2]);
  });

  it('as classes: the largest values with their labels, in JSON and as BYTES', async () => {
    const ask = async (classification: number, binary: boolean): Promise<unknown> => {
      const outputs = [{ name: 'logits', parameters: { classification, binary_data: binary } }];
      const { json, binary: bytes } = await client.infer('spam', text({ data: TEXTS }), { outputs });
      expect(json.outputs?.[0]).toMatchObject({
        datatype: 'BYTES',
        shape: [count, Math.min(classification, 2)],
      });
      return binary ? bytes : json.outputs?.[0]?.data;
    };
    const best = (await ask(1, false)) as string[];
    const parsed = best.map((each) => each.split(':'));
    expect(parsed.map(([, , label]) => label)).toEqual(SPAM_CASES.map(({ label }) => label));
    expect(offBy(parsed.map(([value]) => Number(value)), SPAM_CASES.map(({ logits }) => Math.max(...logits)))).toBeLessThan(1e-4); // prettier-ignore
    const both = (await ask(5, false)) as string[];
    expect(both.filter((_, i) => i % 2 === 0)).toEqual(best);
    expect(await ask(1, true)).toEqual(bytesElements(best));
  });
});
