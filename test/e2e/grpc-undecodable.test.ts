import { Client, credentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadServices } from '../../src/protocol/grpc/protos.js';
import type { GrpcValue } from '../support/grpc-client.js';
import { startGateway, type Running } from '../support/start-gateway.js';

const SERVICE = '/inference.GRPCInferenceService/';
const LIMIT_MS = 20_000;
/** A varint that never ends. */
const BAD = Buffer.alloc(12, 255);

let running: Running;
let client: Client;
const { inference } = loadServices();

beforeAll(async () => {
  running = await startGateway({ grpc: { enabled: true, port: 0 } });
  client = new Client(`127.0.0.1:${running.grpc?.port ?? 0}`, credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  await running.close();
});

const asIs = (bytes: Buffer): Buffer => bytes;

const good = inference['ModelInfer']!.requestSerialize({
  model_name: 'spam',
  inputs: [
    { name: 'text', datatype: 'BYTES', shape: ['1'], contents: { bytes_contents: [Buffer.from('Hi')] } },
  ],
});

const callWith = (method: string, message: Buffer): Promise<readonly [number, unknown]> =>
  new Promise((resolve) => {
    const options = { deadline: Date.now() + LIMIT_MS };
    client.makeUnaryRequest(SERVICE + method, asIs, asIs, message, options, (error) =>
      resolve([error?.code ?? status.OK, error?.metadata.get('carpool-code')[0]]),
    );
  });

const streamOf = (messages: readonly Buffer[]): Promise<{ code: number; errors: readonly boolean[] }> =>
  new Promise((resolve) => {
    const { responseDeserialize } = inference['ModelStreamInfer']!;
    const errors: boolean[] = [];
    const call = client.makeBidiStreamRequest(`${SERVICE}ModelStreamInfer`, asIs, responseDeserialize, {
      deadline: Date.now() + LIMIT_MS,
    });
    call.on('data', ({ error_message }: GrpcValue) => errors.push(error_message !== ''));
    call.on('error', () => undefined);
    call.on('status', ({ code }) => resolve({ code, errors }));
    for (const message of messages) call.write(message);
    call.end();
  });

describe('bytes that are no protobuf of the type', () => {
  it.each(['ModelInfer', 'ServerLive', 'ModelReady', 'RepositoryIndex'])(
    '%s refuses them',
    async (method) => {
      expect(await callWith(method, BAD)).toEqual([status.INVALID_ARGUMENT, 'INVALID_REQUEST']);
    },
  );

  it('are counted', async () => {
    const series = 'http_request_total{method="POST",route="/inference.GRPCInferenceService/ModelReady",status="400"}'; // prettier-ignore
    const before = await running.client.metric(series);
    await callWith('ModelReady', BAD);
    expect(await running.client.metric(series)).toBe(before + 1);
  });

  it('in a stream are an answer of their own, and the stream goes on and ends', async () => {
    const { code, errors } = await streamOf([good, BAD, good, BAD, good]);
    expect([code, errors]).toEqual([status.OK, [false, true, false, true, false]]);
  });
});
