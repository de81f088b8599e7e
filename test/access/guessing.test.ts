import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GrpcClient } from '../support/grpc-client.js';
import { startGateway, type Running } from '../support/start-gateway.js';
import { keysOfRoles } from './support.js';

const { access, keyOf } = keysOfRoles();
let running: Running;
let grpc: GrpcClient;

beforeEach(async () => {
  running = await startGateway({
    ...{ access, limits: { requestsPerMinute: 3 }, grpc: { enabled: true, port: 0 } },
    models: { load: ['fraud_detector'] },
  });
  grpc = new GrpcClient(running.grpc!);
});
afterEach(async () => {
  grpc.close();
  await running.close();
});

const ask = async (method: string, key?: string, path = '/v1/models'): Promise<number> => {
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return (await running.client.send({ method, path, headers })).status;
};

const askGrpc = async (key: string, name = 'ServerMetadata'): Promise<(string | undefined)[]> => {
  const { carpoolCode } = await grpc.ask(name, {}, { metadata: { 'x-api-key': key } });
  return [carpoolCode];
};

describe('who has no good key', () => {
  it('is held by the address, whatever it asks for; who has one is not', async () => {
    expect([await ask('GET', 'x'), await ask('GET'), await ask('POST', 'y')]).toEqual([401, 401, 401]);
    expect([await ask('GET', 'z'), await ask('POST', 'z')]).toEqual([429, 429]);
    expect([await ask('GET', keyOf.read), await ask('GET', undefined, '/healthz')]).toEqual([200, 200]);
  });

  it('by gRPC, too, in the same count', async () => {
    expect([await askGrpc('x'), await askGrpc('y'), await ask('GET')]).toEqual([['UNAUTHENTICATED'], ['UNAUTHENTICATED'], 401]); // prettier-ignore
    expect(await askGrpc('z')).toEqual(['RATE_LIMITED']);
    expect(await askGrpc(keyOf.read)).toEqual([undefined]);
    expect(await askGrpc('z', 'ServerLive')).toEqual([undefined]);
  });
});

describe('who may not do what it asks for', () => {
  it('is held by its name, and refused calls cost nobody else', async () => {
    const statuses = async (): Promise<number> => ask('GET', keyOf.infer);
    expect([await statuses(), await statuses(), await statuses(), await statuses()]).toEqual([403, 403, 403, 429]); // prettier-ignore
    expect([await ask('GET', 'x'), await ask('GET', keyOf.read)]).toEqual([401, 200]);
  });
});
